"""Gemini's generateContent: https://ai.google.dev/api/generate-content."""

from __future__ import annotations

from typing import Any

from tests.providers.forms.form import CACHED, CALL_NAME, INPUT, MODEL, OUTPUT, TEXT, Form
from tests.translation.upstream import Answer, sse

_USAGE = {
    "promptTokenCount": INPUT,
    "cachedContentTokenCount": CACHED,
    "candidatesTokenCount": OUTPUT,
    "totalTokenCount": INPUT + OUTPUT,
}
# A call comes whole, in the stream, too, and without an id.
_CALL = {"functionCall": {"name": CALL_NAME, "args": {"city": "Bern", "days": 3}}}


def _chunk(part: dict[str, Any], finish: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [part]}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": _USAGE, "modelVersion": MODEL, "responseId": "r-1"}


def _error(status: int, name: str, text: str, details: list[Any] | None = None) -> Answer:
    error = {"code": status, "message": text, "status": name, "details": details or []}
    return Answer({"error": error}, status=status)


def _path(stream: bool) -> str:
    return f"/models/{MODEL}:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}"


FORM = Form(
    path=_path,
    text=Answer(_chunk({"text": "".join(TEXT)}, "STOP")),
    text_stream=sse(_chunk({"text": TEXT[0]}, None), _chunk({"text": TEXT[1]}, "STOP")),
    call=Answer(_chunk(_CALL, "STOP")),
    call_stream=sse(_chunk(_CALL, "STOP")),
    refusal=lambda status, text: _error(status, "INVALID_ARGUMENT", text),
    # A wrong key is a bad request: https://ai.google.dev/gemini-api/docs/troubleshooting
    wrong_key=lambda _key: _error(
        400,
        "INVALID_ARGUMENT",
        "API key not valid. Please pass a valid API key.",
        [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}],
    ),
    cap=("generationConfig", "maxOutputTokens"),
    tool=("tools", 0, "functionDeclarations", 0, "name"),
    names_model=False,
)
