"""Requests in the dialects beside OpenAI's: the owned fields read from the bytes, all else left as it came.

The counterpart of dialects/openai/decode.py. A target of the same shape gets these bytes with the owned fields
patched; for any other the dialect's own decoder turns them into the pivot.
"""

from __future__ import annotations

import msgspec

from penstock.core.errors import Refusal
from penstock.dialects.paths import Found
from penstock.shapes.openai_request import Endpoint, OpenAIRequest
from penstock.wire.json_fields import Fields, FieldsError, scan

_OWNED: dict[str, tuple[str, ...]] = {
    "anthropic": (
        "model", "stream", "max_tokens", "service_tier", "tools", "container", "metadata", "mcp_servers",
        "inference_geo",
    ),
    "gemini": ("model", "generationConfig", "tools", "cachedContent", "serviceTier", "labels"),
    "converse": (
        "inferenceConfig", "toolConfig", "serviceTier", "additionalModelRequestFields", "guardrailConfig",
        "requestMetadata",
    ),
}  # fmt: skip
_FOLDED = {dialect: {name.casefold(): name for name in names} for dialect, names in _OWNED.items()}
# Google takes both spellings of every name; what we own is read in either, and refused in both at once.
_SNAKE = {
    "generationConfig": "generation_config",
    "cachedContent": "cached_content",
    "serviceTier": "service_tier",
    "systemInstruction": "system_instruction",
    "maxOutputTokens": "max_output_tokens",
    "candidateCount": "candidate_count",
}
_INSIDE = {
    "generationConfig": {
        name.casefold(): name for name in ("maxOutputTokens", "candidateCount", "serviceTier")
    },
    "inferenceConfig": {"maxtokens": "maxTokens"},
}
_METADATA = {"anthropic": "metadata", "gemini": "labels", "converse": "requestMetadata"}

_string = msgspec.json.Decoder(str).decode
_integer = msgspec.json.Decoder(int | None).decode
_texts = msgspec.json.Decoder(dict[str, str | None] | None).decode
MAX_CAP = 1 << 32


def decode_native(found: Found, body: bytes) -> OpenAIRequest:
    """Read a request's owned fields. Raises Refusal."""
    endpoint = found.endpoint
    try:
        fields = scan(body, _FOLDED[endpoint.dialect])
        _no_double(fields)
        cap, choices = _bounds(endpoint, fields)
    except FieldsError as error:
        raise Refusal(error.code, str(error)) from None
    raw = fields.raw
    stream = found.stream or (endpoint.dialect == "anthropic" and _flag(raw, "stream"))
    return OpenAIRequest(
        endpoint=endpoint,
        model=found.model or _model(raw),
        stream=stream,
        wants_usage=True,
        cap=cap,
        cap_field=endpoint.cap_fields[0] if cap is not None and endpoint.cap_fields else None,
        choices=choices,
        prompt_chars=sum([len(raw[name]) for name in _spelled(endpoint.prompt_fields) if name in raw]),
        metadata=_metadata(raw.get(_METADATA[endpoint.dialect])),
        fields=fields,
    )


def member(fields: Fields, name: str) -> str | None:
    """The key under which an owned member stands, in whichever spelling; None where absent."""
    if name in fields.raw:
        return name
    other = _SNAKE.get(name)
    return other if other is not None and other in fields.raw else None


def _spelled(names: tuple[str, ...]) -> list[str]:
    return [*names, *[_SNAKE[name] for name in names if name in _SNAKE]]


def _no_double(fields: Fields) -> None:
    for one, other in _SNAKE.items():
        if one in fields.raw and other in fields.raw:
            raise FieldsError("duplicate_key", f"{one} and {other} are the same field; send it once")


def _model(raw: dict[str, bytes]) -> str:
    text = raw.get("model")
    if text is None or text == b"null":
        raise Refusal("missing_model", "name a model: a route, a deployment or provider/model", param="model")
    try:
        return _string(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refusal("invalid_type", "model must be a string", param="model") from None


def _flag(raw: dict[str, bytes], name: str) -> bool:
    text = raw.get(name, b"false")
    if text not in (b"true", b"false", b"null"):
        raise Refusal("invalid_type", f"{name} must be true or false", param=name)
    return text == b"true"


def _bounds(endpoint: Endpoint, fields: Fields) -> tuple[int | None, int]:
    """The client's own output bound, and how many answers it asks for."""
    if not endpoint.cap_fields:
        return None, 1
    if not endpoint.cap_path:
        return _count(fields, endpoint.cap_fields[0]), 1
    outer, inner = endpoint.cap_path
    key = member(fields, outer)
    if key is None or fields.raw[key] == b"null":
        return None, 1
    inside = scan(fields.raw[key], _INSIDE.get(outer))
    _no_double(inside)
    return _count(inside, inner), _count(inside, "candidateCount") or 1


def _count(fields: Fields, name: str) -> int | None:
    key = member(fields, name)
    if key is None:
        return None
    try:
        value = _integer(fields.raw[key])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refusal("invalid_type", f"{name} must be a whole number", param=name) from None
    if value is not None and not 0 <= value < MAX_CAP:
        raise Refusal("invalid_type", f"{name} must be zero or more", param=name)
    return value


def _metadata(text: bytes | None) -> dict[str, str]:
    if text is None:
        return {}
    try:
        said: dict[str, str | None] = _texts(text) or {}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}  # not ours to judge: the upstream will
    # Anthropic's word for the end user is the tag `user`.
    return {("user" if name == "user_id" else name): value for name, value in said.items() if value is not None}
