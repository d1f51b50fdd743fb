"""Ollama's embeddings as the pipeline asks them."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ReplyUsage
from penstock.core.embedding import EmbedReply, EmbedRequest, Vector
from penstock.core.losses import UnsupportedError
from penstock.core.parts import Extras, Text
from penstock.core.usage import Usage
from penstock.ports.translation import Addressee
from penstock.shapes.embeddings.numbers import values_of
from penstock.shapes.ollama import EMBED
from penstock.shapes.taker import Taker, extras_of, put


class OllamaEmbed:
    """`POST /api/embed`, which gives lists of floats: the client's dialect packs them."""

    __slots__ = ()
    shape = EMBED

    def served_at(self, request: EmbedRequest, model: str) -> str:  # noqa: ARG002 - the port's
        """There is one method."""
        return EMBED

    def encode_request(self, request: EmbedRequest, to: Addressee) -> dict[str, Any]:
        """The request's body. Raises UnsupportedError."""
        out = extras_of(request.extras, EMBED)
        single = out.pop("~input", "") == "string" and len(request.inputs) == 1
        texts: list[str] = []
        for each in request.inputs:
            if each.tokens is not None:
                raise UnsupportedError("input.tokens")
            pieces = [part.text for part in each.parts if isinstance(part, Text)]
            if not pieces:
                raise UnsupportedError("input")
            if len(pieces) < len(each.parts):
                to.losses.drop("image")
            texts.append("\n".join([each.title, *pieces] if each.title else pieces))
        if any(form.number != "float" for form in request.forms):
            to.losses.drop("forms")
        if request.task is not None:
            to.losses.drop("task")
        out |= {"model": to.model, "input": texts[0] if single else texts}
        cut = request.truncate
        if cut == "start" and not to.losses.map("truncate"):
            cut = None
        return put(out, dimensions=request.dimensions, truncate=None if cut is None else cut != "none")

    def decode_reply(self, body: dict[str, Any], request: EmbedRequest) -> EmbedReply:  # noqa: ARG002
        """The whole answer. Raises ShapeError."""
        taker = Taker(body)
        rows = taker.rest.get("embeddings")
        vectors: list[Vector] = []
        for at, row in enumerate(cast("list[Any]", rows) if isinstance(rows, list) else []):
            values = values_of(row)
            if values is None or isinstance(values, str):
                vectors = []
                break
            vectors.append(Vector(at, values))
        if vectors:
            del taker.rest["embeddings"]
        given = taker.count("prompt_eval_count")
        return EmbedReply(
            model=taker.text("model") or "",
            vectors=tuple(vectors),
            usage=ReplyUsage(Usage(given)) if given is not None else None,
            extras=Extras(EMBED, taker.rest),
        )


OLLAMA_EMBED = OllamaEmbed()
