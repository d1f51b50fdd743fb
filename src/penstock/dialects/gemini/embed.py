"""embedContent and batchEmbedContents as clients ask them."""

from __future__ import annotations

from typing import Any

from penstock.core.embedding import EmbedInput, EmbedReply, EmbedRequest, Task, Vector, VectorForm
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras
from penstock.ports.vectors import EmbedAsked
from penstock.shapes.embeddings.numbers import in_form
from penstock.shapes.gemini.calls import CallIds
from penstock.shapes.gemini.embed import EMBED, TASKS, write_vector
from penstock.shapes.gemini.parts import read_parts
from penstock.shapes.gemini.reader import Reader, closed, opened
from penstock.shapes.gemini.usage import write_usage
from penstock.shapes.taker import extras_of


class GeminiEmbedDialect:
    """One content, or a list of requests for one content each; the body says which."""

    __slots__ = ()
    shape = EMBED

    def decode_request(self, body: dict[str, Any], model: str) -> EmbedRequest:
        """The request; `model` is what the path says. Raises ShapeError."""
        reader = Reader(body, strict=True)
        batch = "requests" in reader.rest
        singles = (reader.many("requests") or []) if batch else [reader]
        tasks: set[Task | None] = {_task(each) for each in singles}
        one_task: Task | None = next(iter(tasks)) if len(tasks) == 1 else None
        sizes = [each.rest.get("outputDimensionality") for each in singles]
        one_size = all(each == sizes[0] for each in sizes)
        dimensions: int | None = None
        inputs: list[EmbedInput] = []
        for each in singles:
            task = _task(each)
            if task is not None:
                del each.rest["taskType"]
            if one_size:
                dimensions = each.count("outputDimensionality")
            inputs.append(_input(each, task if one_task is None else None, keep=batch))
        if not batch:
            reader.note("single", value=True)
        return EmbedRequest(
            model=model,
            inputs=tuple(inputs),
            dimensions=dimensions,
            task=one_task,
            extras=Extras(EMBED, reader.left()),
        )

    def encode_reply(self, reply: EmbedReply, asked: EmbedAsked) -> dict[str, Any]:
        """The whole answer: one vector for one content, a list of them for a list."""
        out, notes = opened(extras_of(reply.extras, EMBED))
        own = reply.extras is not None and reply.extras.shape == EMBED
        single = notes["~single"] if "~single" in notes else "~single" in extras_of(asked.request.extras, EMBED)
        written = [_written(each) for each in sorted(reply.vectors, key=_by_index)]
        if single and len(written) == 1:
            out["embedding"] = written[0]
        elif written or not own:
            out["embeddings"] = written
        if reply.usage is not None:
            out["usageMetadata"] = write_usage(reply.usage)
        return closed(out, notes)


def _by_index(vector: Vector) -> int:
    return vector.index


def _task(reader: Reader) -> Task | None:
    word = reader.rest.get("taskType")
    return TASKS.get(word) if isinstance(word, str) else None


def _input(reader: Reader, task: Task | None, *, keep: bool) -> EmbedInput:
    """One content; what is left of a batch's member stays with it, and of a single request with the request."""
    content = reader.object("content")
    if content is None:
        raise ShapeError(reader.path("content"), "an object")
    parts = read_parts(content, CallIds("embed"))
    title = reader.text("title") or ""
    reader.note("content", content.left())
    extras = Extras(EMBED, reader.left() if keep else {"~content": reader.notes.pop("~content")})
    return EmbedInput(parts, title=title, task=task, extras=extras)


def _written(vector: Vector) -> dict[str, Any]:
    values = in_form(vector.values, vector.number, VectorForm())
    return write_vector(vector, values if isinstance(values, list) else [])


GEMINI_EMBED_DIALECT = GeminiEmbedDialect()
