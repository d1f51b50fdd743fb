"""Ollama's own chat: https://docs.ollama.com/api/chat."""

from __future__ import annotations

import json
from typing import Any

from tests.providers.forms.form import CALL_NAME, INPUT, MODEL, OUTPUT, TEXT, Form
from tests.translation.upstream import Answer

_BASE = {"model": MODEL, "created_at": "2026-01-01T00:00:00Z"}
_END = {
    "done": True,
    "done_reason": "stop",
    "total_duration": 9,
    "prompt_eval_count": INPUT,
    "eval_count": OUTPUT,
}
# A call comes whole, with its arguments as an object, and no reason of its own.
_CALL = {"function": {"name": CALL_NAME, "arguments": {"city": "Bern", "days": 3}}}


def _line(more: dict[str, Any], content: str = "", **message: Any) -> dict[str, Any]:
    return {**_BASE, "message": {"role": "assistant", "content": content, **message}, **more}


def _lines(*lines: dict[str, Any]) -> Answer:
    raw = "".join([json.dumps(line) + "\n" for line in lines])
    return Answer(content_type="application/x-ndjson", raw=raw.encode())


_MORE = {"done": False}
FORM = Form(
    path=lambda _stream: "/chat",
    text=Answer(_line(_END, "".join(TEXT))),
    text_stream=_lines(*[_line(_MORE, piece) for piece in TEXT], _line(_END)),
    call=Answer(_line(_END, tool_calls=[_CALL])),
    call_stream=_lines(_line(_MORE, tool_calls=[_CALL]), _line(_END)),
    refusal=lambda status, text: Answer({"error": text}, status=status),
    wrong_key=lambda _key: Answer({"error": "unauthorized"}, status=401),
    cap=("options", "num_predict"),
    tool=("tools", 0, "function", "name"),
    caches=False,
)
