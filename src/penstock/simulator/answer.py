"""OpenAI's API: which path takes what, and which function answers it; other paths are found in routes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import msgspec

from penstock.simulator import chat, completions, media, responses, vectors
from penstock.simulator.asks import (
    Chat,
    Completion,
    Embeddings,
    Images,
    Moderation,
    Rerank,
    Responses,
    Speech,
)
from penstock.simulator.behaviour import NAMES, Behaviour
from penstock.simulator.reply import (
    OPENAI,
    Api,
    Prepared,
    Refused,
    Reply,
    Request,
    error_reply,
    json_reply,
)
from penstock.simulator.routes import route

_Ask = TypeVar("_Ask")
_STARTED = 1_750_000_000


Prepare = Callable[[bytes, str], Prepared | Reply]


def _json(kind: type[_Ask], answer: Callable[[_Ask, Behaviour, int], Reply]) -> Prepare:
    decoder = msgspec.json.Decoder(kind)

    def prepare(body: bytes, _content_type: str) -> Prepared | Reply:
        try:
            ask = decoder.decode(body)
        except msgspec.DecodeError as error:
            return _misunderstood(error)
        return Prepared(
            getattr(ask, "model", ""),
            bool(getattr(ask, "stream", None)),
            getattr(ask, "user", None) or "",
            partial(answer, ask),
        )

    return prepare


def _misunderstood(error: msgspec.DecodeError) -> Reply:
    if not isinstance(error, msgspec.ValidationError):
        return error_reply(400, f"We could not parse the JSON body of your request: {error}.")
    message = str(error)
    missing = message.partition("missing required field `")[2].partition("`")[0]
    if missing:
        return error_reply(
            400, f"Missing required parameter: '{missing}'.", "missing_required_parameter", missing
        )
    param = message.partition(" - at `$.")[2].rstrip("`") or None
    return error_reply(400, f"Invalid type: {message}.", "invalid_type", param)


def _transcription(body: bytes, content_type: str) -> Prepared | Reply:
    form = media.form_of(body, content_type)
    if form is None:
        return error_reply(400, "Could not parse multipart form.")
    model = form.get("model", b"").decode("utf-8", "replace")
    streamed = form.get("stream") == b"true"
    return Prepared(model, streamed, "", partial(media.transcription, form))


_edits = _json(Images, media.edits)


def _image_form(body: bytes, content_type: str) -> Prepared | Reply:
    """Edits and variations: a form, or JSON as newer clients send it."""
    form = media.form_of(body, content_type)
    if form is None:
        return _edits(body, content_type)
    texts = {
        name: value.decode("utf-8", "replace")
        for name, value in form.items()
        if name in Images.__struct_fields__
    }
    try:
        ask = msgspec.convert(texts, Images, strict=False)
    except msgspec.ValidationError as error:
        return _misunderstood(error)
    return Prepared(ask.model, stream=bool(ask.stream), user="", answer=partial(media.edits, ask))


_rerank = _json(Rerank, vectors.rerank)
_POST: dict[str, Prepare] = {
    "/chat/completions": _json(Chat, chat.answer),
    "/completions": _json(Completion, completions.answer),
    "/responses": _json(Responses, responses.answer),
    "/embeddings": _json(Embeddings, vectors.embeddings),
    "/moderations": _json(Moderation, vectors.moderations),
    "/rerank": _rerank,
    "/v2/rerank": _rerank,
    "/images/generations": _json(Images, media.images),
    "/images/edits": _image_form,
    "/images/variations": _image_form,
    "/audio/speech": _json(Speech, media.speech),
    "/audio/transcriptions": _transcription,
    "/audio/translations": _transcription,
}


def api_of(path: str, query: str, headers: dict[str, str]) -> Api:
    """Whose API a path belongs to: OpenAI's, unless another one claims it."""
    if path.removeprefix("/v1") in _POST:
        return OPENAI
    found = route(path, query, lists="anthropic-version" in headers)
    return found.api if found else OPENAI


def prepare(method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Prepared | Reply:
    """What a request asks for, or the error it gets. Paths work with `/v1` before them and without."""
    short = path.removeprefix("/v1")
    found = _POST.get(short)
    if found is not None and method == "POST":
        return found(body, headers.get("content-type", ""))
    other = route(path, query, lists="anthropic-version" in headers) if found is None else None
    if other is None:
        return _of_openai(method, path, short)
    digest = hashlib.sha256(body).hexdigest()[:32]
    if method not in other.methods:
        return other.api.error(405, f"Not allowed: {method} {path}", digest)
    try:
        return other.prepare(Request(other.model, other.action, query, headers, body))
    except Refused as refused:
        return other.api.error(refused.status, refused.message, digest)
    except RecursionError:
        return other.api.error(400, "The request is nested too deep.", digest)


def _of_openai(method: str, path: str, short: str) -> Reply:
    if short == "/models" or short.startswith("/models/"):
        if method not in {"GET", "HEAD"}:
            return _not_allowed(method, path)
        return _models(short.removeprefix("/models").removeprefix("/"))
    if short in _POST:
        return _not_allowed(method, path)
    return error_reply(404, f"Invalid URL ({method} {path})")


def _not_allowed(method: str, path: str) -> Reply:
    return error_reply(405, f"Not allowed: {method} {path}", "method_not_allowed")


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _STARTED, "owned_by": "penstock-simulator"}


def _models(name: str) -> Reply:
    """The examples of the table; asked for by name, every model exists, as every name has a behaviour."""
    if name:
        return json_reply(_model(name), "")
    return json_reply({"object": "list", "data": [_model(each.example) for each in NAMES]}, "")
