"""Embeddings APIs of OpenAI's shape as the pipeline asks them."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.embedding import EmbedReply, EmbedRequest, Number, Vector
from penstock.core.parts import Extras
from penstock.ports.translation import Addressee
from penstock.providers.embeddings.flavours import JINA, MISTRAL, OPENAI, PERPLEXITY, VOYAGE, Flavour
from penstock.providers.embeddings.request import encode_request
from penstock.shapes.embeddings import SHAPE
from penstock.shapes.embeddings.numbers import values_of
from penstock.shapes.embeddings.usage import read_usage
from penstock.shapes.taker import Taker


class EmbeddingsApi:
    """`POST …/embeddings`. Replies of every flavour are OpenAI's, and carry its shape in their extras."""

    __slots__ = ("_flavour", "shape")

    def __init__(self, flavour: Flavour = OPENAI) -> None:
        self._flavour = flavour
        self.shape = flavour.shape

    def served_at(self, request: EmbedRequest, model: str) -> str:  # noqa: ARG002 - the port's
        """There is one method."""
        return self.shape

    def encode_request(self, request: EmbedRequest, to: Addressee) -> dict[str, Any]:
        """The request's body. Raises UnsupportedError."""
        return encode_request(request, to, self._flavour)

    def decode_reply(self, body: dict[str, Any], request: EmbedRequest) -> EmbedReply:
        """The whole answer. Raises ShapeError."""
        taker = Taker(body)
        known = self._flavour.numbers
        asked: Number = request.forms[0].number if request.forms else "float"
        first = cast("Number", next(iter(self._flavour.words), "float"))
        usage = taker.value("usage")
        return EmbedReply(
            id=taker.text("id") or "",
            model=taker.text("model") or "",
            vectors=_vectors(taker, asked if asked in known else first),
            usage=read_usage(usage, SHAPE) if usage is not None else None,
            extras=Extras(SHAPE, taker.rest),
        )


def _vectors(body: Taker, number: Number) -> tuple[Vector, ...]:
    """The vectors; none, and `data` left where it is, where one cannot be read."""
    whole = body.rest.get("data")
    items = body.objects("data")
    vectors: list[Vector] = []
    for at, item in enumerate(items or ()):
        values = values_of(item.rest.pop("embedding", None))
        if values is None:
            body.rest["data"] = whole
            return ()
        index = item.count("index")
        vectors.append(Vector(at if index is None else index, values, number, item.extras(SHAPE)))
    return tuple(vectors)


OPENAI_EMBEDDINGS = EmbeddingsApi(OPENAI)
MISTRAL_EMBEDDINGS = EmbeddingsApi(MISTRAL)
VOYAGE_EMBEDDINGS = EmbeddingsApi(VOYAGE)
JINA_EMBEDDINGS = EmbeddingsApi(JINA)
PERPLEXITY_EMBEDDINGS = EmbeddingsApi(PERPLEXITY)
