"""A client's OpenAI-shaped request as an Inbound: only owned fields are read, the rest stays bytes."""

from __future__ import annotations

from typing import Final

import msgspec

from penstock.core.errors import Refusal
from penstock.dialects.openai.endpoints import OWNED
from penstock.shapes.openai import StreamOptions
from penstock.shapes.openai_request import MAX_TIER, Endpoint, OpenAIRequest
from penstock.wire.json_fields import FieldsError, scan
from penstock.wire.multipart import MultipartError, parse_form

_string: Final = msgspec.json.Decoder(str).decode
_text_or_null: Final = msgspec.json.Decoder(str | None).decode
_integer: Final = msgspec.json.Decoder(int | None).decode
_options: Final = msgspec.json.Decoder(StreamOptions | None).decode
_metadata: Final = msgspec.json.Decoder(dict[str, str] | None).decode
_MAX_CAP: Final = 1 << 32


def decode(endpoint: Endpoint, body: bytes, content_type: bytes) -> OpenAIRequest:
    """Read a request's owned fields. Raises Refusal."""
    form = endpoint.body == "either" and content_type.lower().startswith(b"multipart/")
    if form or endpoint.body == "multipart":
        return _decode_form(endpoint, body, content_type)
    if content_type and content_type != b"application/json" and not _is_json(content_type):
        raise Refusal("unsupported_media_type", "send the body as application/json")
    try:
        fields = scan(body, OWNED)
        raw = fields.raw
        stream, wants_usage = _stream(endpoint, raw)
        cap_field, cap = _cap(endpoint, raw)
        return OpenAIRequest(
            endpoint,
            _model(endpoint, raw),
            stream,
            wants_usage,
            cap,
            cap_field,
            _choices(raw) if "n" in raw or "best_of" in raw else 1,
            _prompt_chars(endpoint, raw),
            _read_metadata(raw),
            fields,
            None,
            _service_tier(raw["service_tier"]) if "service_tier" in raw else "",
        )
    except FieldsError as error:
        raise Refusal(error.code, str(error)) from None


def _is_json(content_type: bytes) -> bool:
    return content_type.lower().startswith((b"application/json", b"text/json"))


def _prompt_chars(endpoint: Endpoint, raw: dict[str, bytes]) -> int:
    chars = 0
    for name in endpoint.prompt_fields:
        text = raw.get(name)
        if text is not None:
            chars += len(text)
    return chars


def _model(endpoint: Endpoint, raw: dict[str, bytes]) -> str:
    text = raw.get("model")
    if text is None or text == b"null":
        if endpoint.default_model is not None:
            return endpoint.default_model
        raise Refusal("missing_model", "name a model: a route, a deployment or provider/model", param="model")
    try:
        name = _string(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refusal("invalid_type", "model must be a string", param="model") from None
    if not name:
        raise Refusal(
            "missing_model", "the model's name is empty; name a route or provider/model", param="model"
        )
    return name


def _stream(endpoint: Endpoint, raw: dict[str, bytes]) -> tuple[bool, bool]:
    text = raw.get("stream", b"false")
    if text not in (b"true", b"false", b"null"):
        raise Refusal("invalid_type", "stream must be true or false", param="stream")
    if text != b"true":
        # Speech streams by another field; its events carry the usage, the raw audio does not.
        return raw.get("stream_format") == b'"sse"' and endpoint.name == "audio.speech", True
    options = raw.get("stream_options")
    if options is None:
        return True, not endpoint.usage_on_request
    try:
        if options != b"null":
            scan(options, {"include_usage": "include_usage"})
        asked = _options(options)
    except msgspec.DecodeError:
        raise Refusal("invalid_type", "stream_options must be an object", param="stream_options") from None
    return True, not endpoint.usage_on_request or bool(asked and asked.include_usage)


def _cap(endpoint: Endpoint, raw: dict[str, bytes]) -> tuple[str | None, int | None]:
    found: tuple[str | None, int | None] = (None, None)
    for name in endpoint.cap_fields:
        text = raw.get(name)
        if text is None:
            continue
        cap = _count(text, name)
        # Which of two bounds the upstream obeys is not known: the larger one can be spent.
        if cap is not None and (found[1] is None or cap > found[1]):
            found = (name, cap)
    return found


def _count(text: bytes, name: str) -> int | None:
    try:
        value = _integer(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refusal("invalid_type", f"{name} must be a whole number", param=name) from None
    if value is not None and not 0 <= value < _MAX_CAP:
        raise Refusal("invalid_type", f"{name} must be zero or more", param=name)
    return value


def _choices(raw: dict[str, bytes]) -> int:
    return max([1, *[_count(raw[name], name) or 1 for name in ("n", "best_of") if name in raw]])


def _service_tier(text: bytes) -> str:
    try:
        name = _text_or_null(text) or ""
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refusal("invalid_type", "service_tier must be a string", param="service_tier") from None
    if len(name) > MAX_TIER:
        raise Refusal("invalid_type", "service_tier is no tier's name", param="service_tier")
    return name


def _read_metadata(raw: dict[str, bytes]) -> dict[str, str]:
    text = raw.get("metadata")
    if text is None:
        return {}
    try:
        return _metadata(text) or {}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}  # not ours to judge: the upstream will


def _decode_form(endpoint: Endpoint, body: bytes, content_type: bytes) -> OpenAIRequest:
    try:
        form = parse_form(body, content_type)
    except MultipartError as error:
        raise Refusal("bad_multipart", str(error)) from None
    for name in form.names:
        right = OWNED.get(name.casefold())
        if right is not None and right != name:
            raise Refusal("case_variant_key", f"the field {name!r} must be written {right!r}")
    if form.repeated & {"model", "stream", "n"}:
        raise Refusal("duplicate_key", "a form field that the gateway checks stands twice; send it once")
    model = form.text("model")
    if not model and endpoint.default_model is None:
        raise Refusal("missing_model", "name a model in the form field `model`", param="model")
    count = form.text("n")
    return OpenAIRequest(
        endpoint=endpoint,
        model=model or endpoint.default_model or "",
        stream=form.text("stream") == "true",
        wants_usage=True,
        cap=None,
        cap_field=None,
        choices=int(count) if count and count.isdigit() else 1,
        prompt_chars=len(form.text("prompt") or ""),
        metadata={},
        form=form,
    )
