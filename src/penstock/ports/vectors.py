"""What the pipeline asks of the translators of embeddings and rerank: client dialects and provider APIs.

The rules are those of ports/translation.py: decoders raise `core.errors.ShapeError` and nothing else, encoders
raise `core.losses.UnsupportedError` where the caller wants an error rather than a loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from penstock.core.embedding import EmbedReply, EmbedRequest
from penstock.core.rerank import RerankReply, RerankRequest
from penstock.ports.translation import Addressee


@dataclass(frozen=True, slots=True)
class EmbedAsked:
    """What an embedding reply's encoder must know of the request that it answers.

    `model` is the name that the client used; `request_id` makes ids where the vendor's are not of this shape.
    """

    request: EmbedRequest
    model: str
    request_id: str


@dataclass(frozen=True, slots=True)
class RerankAsked:
    """What a rerank reply's encoder must know of the request that it answers; fields as in EmbedAsked."""

    request: RerankRequest
    model: str
    request_id: str


class EmbedDialect(Protocol):
    """A client-facing embeddings API."""

    shape: str

    def decode_request(self, body: dict[str, Any], model: str) -> EmbedRequest:
        """The request; `model` is what the path or the body says. Raises ShapeError."""
        ...

    def encode_reply(self, reply: EmbedReply, asked: EmbedAsked) -> dict[str, Any]:
        """The whole answer as a JSON object."""
        ...


class EmbedProvider(Protocol):
    """A vendor's embeddings API."""

    shape: str

    def served_at(self, request: EmbedRequest, model: str) -> str:
        """The name, in `providers/paths.py`, of the method that takes this request for the vendor's `model`."""
        ...

    def encode_request(self, request: EmbedRequest, to: Addressee) -> dict[str, Any]:
        """The request's body. Raises UnsupportedError."""
        ...

    def decode_reply(self, body: dict[str, Any], request: EmbedRequest) -> EmbedReply:
        """The whole answer; not every vendor says in it which form was asked for. Raises ShapeError."""
        ...


class RerankDialect(Protocol):
    """A client-facing rerank API."""

    shape: str

    def decode_request(self, body: dict[str, Any], model: str) -> RerankRequest:
        """The request; `model` is what the path or the body says. Raises ShapeError."""
        ...

    def encode_reply(self, reply: RerankReply, asked: RerankAsked) -> dict[str, Any]:
        """The whole answer as a JSON object."""
        ...


class RerankProvider(Protocol):
    """A vendor's rerank API."""

    shape: str

    def encode_request(self, request: RerankRequest, to: Addressee) -> dict[str, Any]:
        """The request's body. Raises UnsupportedError."""
        ...

    def decode_reply(self, body: dict[str, Any], request: RerankRequest) -> RerankReply:
        """The whole answer. Raises ShapeError."""
        ...
