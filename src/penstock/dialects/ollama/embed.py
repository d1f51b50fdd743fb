"""Ollama's embeddings dialect: requests in, replies out."""

from __future__ import annotations

from typing import Any

from penstock.core.embedding import EmbedInput, EmbedReply, EmbedRequest, VectorForm
from penstock.core.errors import ShapeError
from penstock.core.parts import Text
from penstock.ports.vectors import EmbedAsked
from penstock.shapes.embeddings.numbers import in_form
from penstock.shapes.ollama import EMBED
from penstock.shapes.taker import Taker, extras_of


class OllamaEmbedDialect:
    """`POST /api/embed`."""

    __slots__ = ()
    shape = EMBED

    def decode_request(self, body: dict[str, Any], model: str) -> EmbedRequest:
        """The request. Raises ShapeError."""
        taker = Taker(body, strict=True)
        taker.rest.pop("model", None)
        single = taker.text("input") if isinstance(taker.rest.get("input"), str) else None
        texts = (single,) if single is not None else taker.texts("input")
        if texts is None:
            raise ShapeError("input", "a string or a list of strings")
        if single is not None:
            taker.rest["~input"] = "string"
        cut = taker.flag("truncate")
        return EmbedRequest(
            model=model,
            inputs=tuple([EmbedInput((Text(text),)) for text in texts]),
            dimensions=taker.count("dimensions"),
            truncate=None if cut is None else "end" if cut else "none",
            extras=taker.extras(EMBED),
        )

    def encode_reply(self, reply: EmbedReply, asked: EmbedAsked) -> dict[str, Any]:
        """The whole answer."""
        own = reply.extras is not None and reply.extras.shape == EMBED
        out = extras_of(reply.extras, EMBED)
        if reply.model or not own:
            out["model"] = reply.model or asked.model
        if "embeddings" not in out:
            out["embeddings"] = [in_form(each.values, each.number, VectorForm()) for each in reply.vectors]
        if reply.usage is not None:
            out["prompt_eval_count"] = reply.usage.counts.input_tokens
        return out
