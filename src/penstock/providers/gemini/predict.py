"""Vertex AI's text embeddings, which are asked for by `:predict`.

`gemini-embedding-001` takes one text in a request, the older models up to 250.
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ReplyUsage
from penstock.core.embedding import EmbedInput, EmbedReply, EmbedRequest, Vector
from penstock.core.errors import ShapeError
from penstock.core.losses import UnsupportedError
from penstock.core.parts import Text
from penstock.core.usage import Usage
from penstock.ports.translation import Addressee
from penstock.shapes.embeddings.numbers import values_of
from penstock.shapes.gemini.embed import WORDS
from penstock.shapes.taker import put

SHAPE = "vertex.embed"


class VertexEmbed:
    """Implements ports.vectors.EmbedProvider."""

    __slots__ = ()
    shape = SHAPE

    def served_at(self, request: EmbedRequest) -> str:  # noqa: ARG002 - the port's
        """One method takes any number of inputs."""
        return SHAPE

    def encode_request(self, request: EmbedRequest, to: Addressee) -> dict[str, Any]:
        """The request's body. Raises UnsupportedError."""
        if any(each.number != "float" for each in request.forms):
            to.losses.drop("forms")
        out: dict[str, Any] = {"instances": [_instance(each, request, to) for each in request.inputs]}
        parameters: dict[str, Any] = {}
        put(parameters, outputDimensionality=request.dimensions)
        if request.truncate == "start":
            to.losses.drop("truncate")
        elif request.truncate is not None:
            parameters["autoTruncate"] = request.truncate == "end"
        if parameters:
            out["parameters"] = parameters
        return out

    def decode_reply(self, body: dict[str, Any], request: EmbedRequest) -> EmbedReply:  # noqa: ARG002
        """The whole answer. Raises ShapeError."""
        found = body.get("predictions")
        if not isinstance(found, list):
            raise ShapeError("predictions", "a list")
        vectors: list[Vector] = []
        tokens = 0
        for at, each in enumerate(cast("list[Any]", found)):
            inside = _object(_object(each).get("embeddings"))
            values = values_of(inside.get("values"))
            if values is None or isinstance(values, str):
                raise ShapeError(f"predictions[{at}].embeddings.values", "a list of numbers")
            vectors.append(Vector(at, values))
            count = _object(inside.get("statistics")).get("token_count")
            tokens += int(count) if isinstance(count, int | float) and 0 < count < 1 << 53 else 0
        # Every answer counts its tokens; one that does not is estimated.
        usage = ReplyUsage(Usage(input_tokens=tokens)) if tokens else None
        return EmbedReply(vectors=tuple(vectors), usage=usage)


def _instance(each: EmbedInput, request: EmbedRequest, to: Addressee) -> dict[str, Any]:
    if each.tokens is not None:
        raise UnsupportedError("input.tokens")
    texts = [part.text for part in each.parts if isinstance(part, Text)]
    if len(texts) != len(each.parts):
        to.losses.drop("input")
    out: dict[str, Any] = {"content": "\n".join(texts)}
    task = each.task or request.task
    put(out, title=each.title or None, task_type=WORDS[task] if task is not None else None)
    return out


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
