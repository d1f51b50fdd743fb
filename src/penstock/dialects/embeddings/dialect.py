"""The embeddings dialect: requests in, replies out."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from penstock.core.embedding import EmbedReply, EmbedRequest, Vector, VectorForm
from penstock.core.parts import Extras
from penstock.ports.vectors import EmbedAsked
from penstock.shapes.embeddings import SHAPE
from penstock.shapes.embeddings.inputs import FORM, read_inputs
from penstock.shapes.embeddings.numbers import in_form
from penstock.shapes.embeddings.settings import WRITTEN, settings_of, take_written
from penstock.shapes.embeddings.usage import write_usage
from penstock.shapes.taker import Taker, extras_of

_FLOATS = VectorForm()


class EmbeddingsDialect:
    """OpenAI's `POST /v1/embeddings`, with the further settings of Mistral, Voyage and Jina."""

    __slots__ = ()
    shape = SHAPE

    def decode_request(self, body: dict[str, Any], model: str) -> EmbedRequest:
        """The request. Raises ShapeError."""
        taker = Taker(body, strict=True)
        taker.rest.pop("model", None)
        inputs, form = read_inputs(taker.any("input"))
        title = taker.rest.get("title")  # Vertex's word, for all of the documents; it stays for its own shape
        if isinstance(title, str):
            inputs = tuple([replace(each, title=title) for each in inputs])
        user = taker.text("user")
        written = take_written(taker)
        if written:
            taker.rest[WRITTEN] = written
        if form != "list":
            taker.rest[FORM] = form
        meant = settings_of(written)
        return EmbedRequest(
            model=model,
            inputs=inputs,
            dimensions=meant.dimensions,
            forms=meant.forms,
            task=meant.task,
            truncate=meant.truncate,
            user=user,
            extras=taker.extras(SHAPE),
        )

    def encode_reply(self, reply: EmbedReply, asked: EmbedAsked) -> dict[str, Any]:
        """The whole answer."""
        own = reply.extras is not None and reply.extras.shape == SHAPE
        out = extras_of(reply.extras, SHAPE)
        if not own:
            # OpenAI has no id here, but Mistral's client insists on one.
            out |= {"id": f"embd-{asked.request_id}", "object": "list"}
        elif reply.id:
            out["id"] = reply.id
        if reply.model or not own:
            out["model"] = reply.model or asked.model
        if "data" not in out and (reply.vectors or not own or "object" in out):
            wanted = asked.request.forms[0] if asked.request.forms else _FLOATS
            out["data"] = [_item(each, wanted) for each in _one_each(reply.vectors, wanted)]
        if reply.usage is not None:
            out["usage"] = write_usage(reply.usage, SHAPE)
        elif not own:
            out["usage"] = {"prompt_tokens": 0, "total_tokens": 0}
        return out


def _one_each(vectors: tuple[Vector, ...], wanted: VectorForm) -> list[Vector]:
    """One vector for each input, in the type that was asked for where there are several."""
    best: dict[int, Vector] = {}
    for vector in vectors:
        old = best.get(vector.index)
        if old is None or (vector.number == wanted.number and old.number != wanted.number):
            best[vector.index] = vector
    return list(best.values())


def _item(vector: Vector, wanted: VectorForm) -> dict[str, Any]:
    own: Extras | None = vector.extras
    if own is not None and own.shape == SHAPE:
        # An upstream of this shape was asked in these words: a list stays one, where the numbers are those.
        if vector.number != wanted.number:
            return {
                **own.fields,
                "embedding": in_form(vector.values, vector.number, wanted),
                "index": vector.index,
            }
        values = vector.values if isinstance(vector.values, str) else list(vector.values)
        return {**own.fields, "embedding": values, "index": vector.index}
    values = in_form(vector.values, vector.number, wanted)
    return {"object": "embedding", "index": vector.index, "embedding": values}
