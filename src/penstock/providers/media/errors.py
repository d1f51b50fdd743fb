"""An error body of any media vendor, as far as it can be read.

Shapes: `{"detail": "…" | {"status", "message"} | [{"msg"}]}` (Black Forest Labs
https://docs.bfl.ml/api_integration/errors.md, fal https://docs.fal.ai/model-apis/errors, Replicate with `title`
and `status` https://replicate.com/docs/reference/http, ElevenLabs
https://elevenlabs.io/docs/developers/resources/error-messages, Luma); `{"err_code", "err_msg"}` and
`{"category", "message", "details"}` (Deepgram https://developers.deepgram.com/docs/errors); `{"error": "…"}`
(AssemblyAI, Runway https://docs.dev.runwayml.com/errors/errors/); `{"error_code", "title", "message"}`
(Cartesia).
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from penstock.shapes.openai import ErrorShape

_decode = msgspec.json.Decoder().decode
_MESSAGES = ("error", "detail", "message", "err_msg", "msg", "details", "title")
_CODES = ("code", "error_code", "err_code", "status", "category", "type")


def read_error(body: bytes) -> ErrorShape:
    """What an error body says."""
    try:
        value = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ErrorShape()
    return ErrorShape(message=_message(value) or None, code=_code(value) or None)


def _message(value: object, depth: int = 0) -> str:
    if isinstance(value, str):
        return value
    if depth > 3:
        return ""
    if isinstance(value, list):
        said = [_message(each, depth + 1) for each in cast("list[Any]", value)[:5]]
        return "; ".join([each for each in said if each])
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        for name in _MESSAGES:
            if words := _message(members.get(name), depth + 1):
                return words
    return ""


def _code(value: object, depth: int = 0) -> str:
    if not isinstance(value, dict) or depth > 3:
        return ""
    members = cast("dict[str, Any]", value)
    for name in ("error", "detail"):
        if found := _code(members.get(name), depth + 1):
            return found
    for name in _CODES:
        code = members.get(name)
        if isinstance(code, str):
            return code
    return ""
