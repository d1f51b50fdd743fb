"""Vertex AI's embeddings: `:predict` for models of text, `:embedContent` for Gemini's that came after.

`gemini-embedding-001` takes one text in a `:predict` request, the older models up to 250.
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
`gemini-embedding-2` and open models (`…-maas`) are asked by `:embedContent`, which takes one content.
https://docs.cloud.google.com/gemini-enterprise-agent-platform/reference/rest/v1beta1/projects.locations.publishers.models/embedContent
Several are asked by `:batchEmbedContents` as Google's own SDK does (google-genai 3.4, `embedding_api_type`);
the REST reference that was seen has no page for it.
"""

from __future__ import annotations

import re
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
from penstock.shapes.gemini.parts import write_part
from penstock.shapes.gemini.usage import read_usage
from penstock.shapes.taker import put

SHAPE = "vertex.embed"
_BY_CONTENT = re.compile(r"gemini-(?!embedding-(?:001|exp))|-maas$")
Json = dict[str, Any]


class VertexEmbed:
    """Implements ports.vectors.EmbedProvider."""

    __slots__ = ()
    shape = SHAPE

    def served_at(self, request: EmbedRequest, model: str) -> str:
        """By the model, and whether there are several inputs."""
        if _BY_CONTENT.search(model) is None:
            return SHAPE
        return "gemini.embed" if len(request.inputs) == 1 else "gemini.embeds"

    def encode_request(self, request: EmbedRequest, to: Addressee) -> Json:
        """The request's body. Raises UnsupportedError."""
        if any(each.tokens is not None for each in request.inputs):
            raise UnsupportedError("input.tokens")
        if any(each.number != "float" for each in request.forms):
            to.losses.drop("forms")
        if request.truncate == "start":
            to.losses.drop("truncate")
        if _BY_CONTENT.search(to.model) is None:
            return _predict(request, to)
        asked = [_content(each, request, to) for each in request.inputs]
        return asked[0] if len(asked) == 1 else {"requests": asked}

    def decode_reply(self, body: Json, request: EmbedRequest) -> EmbedReply:  # noqa: ARG002 - the port's
        """The whole answer. Raises ShapeError."""
        told = body.get("usageMetadata")
        if "predictions" in body or ("embedding" not in body and "embeddings" not in body):
            return _read(body.get("predictions"), "predictions", "embeddings")
        one = body.get("embedding")
        reply = _read([one] if one is not None else body.get("embeddings"), "embeddings", "")
        if not isinstance(told, dict):
            return reply
        return EmbedReply(vectors=reply.vectors, usage=read_usage(cast("Json", told)))


def _predict(request: EmbedRequest, to: Addressee) -> Json:
    out: Json = {"instances": [_instance(each, request, to) for each in request.inputs]}
    parameters: Json = {}
    put(parameters, outputDimensionality=request.dimensions, autoTruncate=_cut(request))
    if parameters:
        out["parameters"] = parameters
    return out


def _cut(request: EmbedRequest) -> bool | None:
    """Whether an input that is too long is cut at its end, the only place where Google cuts."""
    return request.truncate == "end" if request.truncate in ("none", "end") else None


def _instance(each: EmbedInput, request: EmbedRequest, to: Addressee) -> Json:
    texts = [part.text for part in each.parts if isinstance(part, Text)]
    if len(texts) != len(each.parts):
        to.losses.drop("input")
    out: Json = {"content": "\n".join(texts)}
    task = each.task or request.task
    put(out, title=each.title or None, task_type=WORDS[task] if task is not None else None)
    return out


def _content(each: EmbedInput, request: EmbedRequest, to: Addressee) -> Json:
    parts = [part for part in (write_part(given, None) for given in each.parts) if part is not None]
    if len(parts) != len(each.parts):
        to.losses.drop("input")
    out: Json = {"content": {"role": "user", "parts": parts}}
    task = each.task or request.task
    config: Json = {}
    put(
        config,
        taskType=WORDS[task] if task is not None else None,
        title=each.title or None,
        outputDimensionality=request.dimensions,
        autoTruncate=_cut(request),
    )
    if config:
        out["embedContentConfig"] = config
    return out


def _read(found: Any, where: str, inside: str) -> EmbedReply:
    """The vectors of a list, each below `inside` where that is named, and the tokens that they count."""
    if not isinstance(found, list):
        raise ShapeError(where, "a list")
    vectors: list[Vector] = []
    tokens = 0
    for at, each in enumerate(cast("list[Any]", found)):
        held = _object(_object(each).get(inside)) if inside else _object(each)
        values = values_of(held.get("values"))
        if values is None or isinstance(values, str):
            raise ShapeError(f"{where}[{at}]{'.' + inside if inside else ''}.values", "a list of numbers")
        vectors.append(Vector(at, values))
        counts = _object(held.get("statistics"))
        count = counts.get("token_count", counts.get("tokenCount"))
        tokens += int(count) if isinstance(count, int | float) and 0 < count < 1 << 53 else 0
    # Every answer counts its tokens; one that does not is estimated.
    return EmbedReply(vectors=tuple(vectors), usage=ReplyUsage(Usage(input_tokens=tokens)) if tokens else None)


def _object(value: Any) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}
