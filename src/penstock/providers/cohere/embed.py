"""Cohere's embeddings as the pipeline asks them."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.embedding import EmbedReply, EmbedRequest, Task, Vector
from penstock.core.losses import Losses, UnsupportedError
from penstock.core.parts import Extras, Image, Text
from penstock.ports.translation import Addressee
from penstock.shapes.cohere import EMBED
from penstock.shapes.cohere.embed import FIELD, TASKS, TYPES, type_of, write_input
from penstock.shapes.cohere.units import read_usage
from penstock.shapes.embeddings.inputs import address_of
from penstock.shapes.embeddings.numbers import values_of
from penstock.shapes.taker import Taker, extras_of, put

_WORDS = {task: word for word, task in TASKS.items()}
# The nearest that Cohere has: what asks is a query.
_NEAREST: dict[Task, str] = {
    "question": "search_query",
    "fact_check": "search_query",
    "code_query": "search_query",
    "similarity": "clustering",
}


class CohereEmbed:
    """`POST /v2/embed`; at most 96 inputs in one call."""

    __slots__ = ()
    shape = EMBED

    def served_at(self, request: EmbedRequest, model: str) -> str:  # noqa: ARG002 - the port's
        """There is one method."""
        return EMBED

    def encode_request(self, request: EmbedRequest, to: Addressee) -> dict[str, Any]:
        """The request's body. Raises UnsupportedError."""
        out = extras_of(request.extras, EMBED)
        where = out.pop(FIELD, "")
        out["model"] = to.model
        _inputs(request, str(where), to.losses, out)
        if request.task is not None or "input_type" not in out:
            out["input_type"] = _task(request.task, to.losses)
        if request.forms or not where:
            types = dict.fromkeys([type_of(each.number, packed=each.packed) for each in request.forms])
            out["embedding_types"] = list(types) or ["float"]
        return put(
            out,
            output_dimension=request.dimensions,
            truncate=request.truncate.upper() if request.truncate else None,
        )

    def decode_reply(self, body: dict[str, Any], request: EmbedRequest) -> EmbedReply:  # noqa: ARG002
        """The whole answer. Raises ShapeError."""
        taker = Taker(body)
        meta = taker.value("meta")
        vectors = _vectors(taker)
        return EmbedReply(
            id=taker.text("id") or "",
            vectors=vectors,
            usage=read_usage(meta, EMBED) if meta is not None else None,
            extras=Extras(EMBED, taker.rest),
        )


def _task(task: Task | None, losses: Losses) -> str:
    """The input type, which Cohere wants to know: a document where the client says nothing."""
    if task is None:
        return "search_document"
    word = _WORDS.get(task)
    if word is None:
        word = _NEAREST[task] if losses.map("task") else "search_document"
    return word


def _inputs(request: EmbedRequest, where: str, losses: Losses, out: dict[str, Any]) -> None:
    inputs = request.inputs
    if any(each.tokens is not None for each in inputs):
        raise UnsupportedError("input.tokens")
    if where == "images" and all(len(each.parts) == 1 and isinstance(each.parts[0], Image) for each in inputs):
        out["images"] = [address_of(cast("Image", each.parts[0]).source) for each in inputs]
    elif where != "inputs" and all(all(isinstance(part, Text) for part in each.parts) for each in inputs):
        texts = ["\n".join([part.text for part in each.parts if isinstance(part, Text)]) for each in inputs]
        titles = [each.title for each in inputs]
        out["texts"] = [
            f"{title}\n{text}" if title else text for title, text in zip(titles, texts, strict=True)
        ]
    else:
        written = [write_input(each) for each in inputs]
        if not all(whole for _, whole in written):
            losses.drop("input")
        if not all(value["content"] for value, _ in written):
            raise UnsupportedError("input")
        out["inputs"] = [value for value, _ in written]


def _vectors(body: Taker) -> tuple[Vector, ...]:
    """The vectors of each type; none, and the field left where it is, where one cannot be read."""
    found = body.rest.get("embeddings")
    # Version 1 gives floats without their type's name.
    flat = isinstance(found, list)
    by_type = cast("Any", {"float": found} if flat else found)
    if not isinstance(by_type, dict):
        return ()
    vectors: list[Vector] = []
    for name, rows in cast("dict[str, Any]", by_type).items():
        form = TYPES.get(name)
        if form is None or not isinstance(rows, list):
            return ()
        for at, row in enumerate(cast("list[Any]", rows)):
            values = values_of(row)
            if values is None or isinstance(values, str) is not form.packed:
                return ()
            vectors.append(Vector(at, values, form.number))
    if not vectors:
        return ()
    del body.rest["embeddings"]
    if flat:
        body.rest["~flat"] = True
    return tuple(vectors)


COHERE_EMBED = CohereEmbed()
