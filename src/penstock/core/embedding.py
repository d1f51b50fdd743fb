"""Vectors for pieces of content, in no vendor's words: what is asked, and what is answered.

As with conversations (core/chat.py), `extras` carry what only one API shape knows. Shapes: `openai.embeddings`
(with Mistral's, Voyage's and Jina's dialects of it), `cohere.embed`, `gemini.embed`, `ollama.embed`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from penstock.core.chat import ReplyUsage
from penstock.core.parts import Extras, Part

Number = Literal["float", "int8", "uint8", "binary", "ubinary"]
Task = Literal[
    "query",  # a search query, to be compared with documents
    "document",  # something that a query should find
    "classification",
    "clustering",
    "similarity",  # texts that are compared with each other
    "question",  # a question, to be compared with answers
    "fact_check",  # a claim, to be compared with what supports or refutes it
    "code_query",  # a question that code should answer
]


class VectorForm(msgspec.Struct, frozen=True):
    """How a vector is written: the type of its numbers, as a list or, `packed`, as the base64 of their bytes.

    `binary` and `ubinary` hold eight dimensions in a number, signed or not. Packed floats have 32 bits, little
    end first.
    """

    number: Number = "float"
    packed: bool = False


class EmbedInput(msgspec.Struct, frozen=True):
    """One piece of content that gets one vector: parts (usually one Text), or `tokens` that a client cut.

    `title` names a document; `task` is said for this input alone where it differs from the request's.
    """

    parts: tuple[Part, ...] = ()
    tokens: tuple[int, ...] | None = None
    title: str = ""
    task: Task | None = None
    extras: Extras | None = None


class EmbedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks. Everything that was not said is None or empty.

    `forms` are the forms that are wanted, usually one; `truncate` is what to do with an input that is too long:
    refuse it (`none`), or cut at its start or end.
    """

    model: str
    inputs: tuple[EmbedInput, ...] = ()
    dimensions: int | None = None
    forms: tuple[VectorForm, ...] = ()
    task: Task | None = None
    truncate: Literal["none", "start", "end"] | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    extras: Extras | None = None


class Vector(msgspec.Struct, frozen=True):
    """The vector of the input at `index`: numbers as the vendor wrote them, or their bytes in base64.

    Where several forms were asked for, an input has one Vector for each.
    """

    index: int
    values: tuple[float, ...] | str
    number: Number = "float"
    extras: Extras | None = None


class EmbedReply(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider answers."""

    id: str = ""
    model: str = ""
    vectors: tuple[Vector, ...] = ()
    usage: ReplyUsage | None = None
    extras: Extras | None = None
