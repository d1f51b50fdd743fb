"""How vendors of OpenAI's shape say what OpenAI says otherwise or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field

from penstock.core.embedding import Number, Task

_FLOAT: frozenset[Number] = frozenset({"float"})
_ALL: frozenset[Number] = frozenset({"float", "int8", "uint8", "binary", "ubinary"})


@dataclass(frozen=True, slots=True)
class Flavour:
    """The facts of one vendor's embeddings API; an empty field name means that it has nothing of the kind.

    Attributes:
        shape: The name of the API's shape.
        dimensions: The field for the length of the vectors.
        number: The field for the number type.
        numbers: The number types that it knows.
        packing: The field that asks for base64.
        words: The packing field's words by number type, where it has one for each and no lists.
        says_list: Whether that field also has a word for a list (`float`).
        task: The field for the task, and `tasks` its words.
        truncate: The field, true or false, for truncation at the end.
        tokens: Whether it takes tokens for text.
        images: Whether it takes objects with an image.
        user: Whether it takes the end user's name.
        metadata: Whether it takes metadata.
    """

    shape: str
    dimensions: str = "dimensions"
    number: str = ""
    numbers: frozenset[Number] = _FLOAT
    packing: str = "encoding_format"
    words: dict[Number, str] = field(default_factory=dict[Number, str])
    says_list: bool = True
    task: str = ""
    tasks: dict[Task, str] = field(default_factory=dict[Task, str])
    truncate: str = ""
    tokens: bool = False
    images: bool = False
    user: bool = False
    metadata: bool = False


# https://platform.openai.com/docs/api-reference/embeddings/create
OPENAI = Flavour("openai.embeddings", tokens=True, user=True)
# https://docs.mistral.ai/api/endpoint/embeddings
MISTRAL = Flavour(
    "mistral.embeddings", dimensions="output_dimension", number="output_dtype", numbers=_ALL, metadata=True
)
# https://docs.voyageai.com/reference/embeddings-api
VOYAGE = Flavour(
    "voyage.embeddings",
    dimensions="output_dimension",
    number="output_dtype",
    numbers=_ALL,
    says_list=False,
    task="input_type",
    tasks={
        "query": "query",
        "question": "query",
        "code_query": "query",
        "fact_check": "query",
        "document": "document",
    },
    truncate="truncation",
)
# https://api.jina.ai/openapi.json
JINA = Flavour(
    "jina.embeddings",
    number="embedding_type",
    numbers=frozenset({"float", "binary", "ubinary"}),
    packing="embedding_type",
    task="task",
    tasks={
        "query": "retrieval.query",
        "question": "retrieval.query",
        "fact_check": "retrieval.query",
        "document": "retrieval.passage",
        "classification": "classification",
        "clustering": "separation",
        "similarity": "text-matching",
        "code_query": "code.query",
    },
    truncate="truncate",
    images=True,
)
# https://docs.perplexity.ai/api-reference/embeddings-post: whole numbers alone, always packed; the first is the
# default
PERPLEXITY = Flavour(
    "perplexity.embeddings",
    numbers=frozenset({"int8", "binary"}),
    words={"int8": "base64_int8", "binary": "base64_binary"},
)
