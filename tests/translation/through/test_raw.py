"""Same API on both sides: what the gateway does not own passes byte for byte, both ways."""

from __future__ import annotations

import pytest

from tests.translation.through.conftest import Doors
from tests.translation.upstream import Answer

_CHAT = b'[ {"role":"user", "content":"Hi \\u00fc","novel":{"z":1,"a":[ 1.0,1e3 ]}} ]'
_TURNS = b'[ {"role":"user","content":[ {"text":"Hi","novel":null} ]} ]'
_CONTENTS = b'[ {"role":"user","parts":[{"text":"Hi \\/","novel":0.10}]} ]'
_PLAIN = b'  "zeta" :\t1.50, "alpha":{"b":2,\n"a":1}'
# Kind, path, a request with a place for the model's name, and a reply in the vendor's own spelling.
_CASES = {
    "openai.chat": (
        "openai",
        "/v1/chat/completions",
        b'{ "messages":' + _CHAT + b', "max_tokens":7,"model": "%b" ,' + _PLAIN + b"}",
        (
            b'{"novel": [1.0], "choices":[{"index":0,"message":{"role":"assistant","content":"\\u0048i"},'
            b'"finish_reason":"stop"}],\n "usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}'
        ),
    ),
    "openai.completions": (
        "openai",
        "/v1/completions",
        b'{"prompt":"Hi", "max_tokens":7, "model":"%b",' + _PLAIN + b"}",
        (
            b'{"choices":[{"text":"Hi","index":0 , "finish_reason":"stop"}],"usage":{"prompt_tokens":1,'
            b'"completion_tokens":1,"total_tokens":2}, "novel":1e2}'
        ),
    ),
    "openai.responses": (
        "openai",
        "/v1/responses",
        b'{"input":"Hi","store":false, "max_output_tokens":16,"model":"%b", ' + _PLAIN + b"}",
        (
            b'{"novel":1e2,"id":"resp_1","object":"response","status":"completed","output":[],'
            b'"usage":{"input_tokens":3, "output_tokens":1,"total_tokens":4}}'
        ),
    ),
    "anthropic": (
        "anthropic",
        "/v1/messages",
        b'{"max_tokens":7, "messages":' + _CHAT + b' ,"model":"%b",' + _PLAIN + b"}",
        (
            b'{"type":"message","id":"msg_1","role":"assistant","novel":1e2,"content":[{"type":"text","text":"Hi"}],'
            b'"stop_reason":"end_turn", "usage":{"input_tokens":3,"output_tokens":1}}'
        ),
    ),
    "gemini": (
        "google",
        "/v1beta/models/up%%2Fm:generateContent",
        b'{"contents":' + _CONTENTS + b', "generationConfig":{"maxOutputTokens":7},' + _PLAIN + b"}",
        (
            b'{"novel":1e2,"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"finishReason":"STOP"}],'
            b' "usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1,"totalTokenCount":4}}'
        ),
    ),
    "converse": (
        "bedrock",
        "/model/up%%2Fm/converse",
        b'{"messages":' + _TURNS + b', "inferenceConfig":{"maxTokens":7},' + _PLAIN + b"}",
        (
            b'{"novel":1e2,"output":{"message":{"role":"assistant","content":[{"text":"Hi"}]}},"stopReason":"end_turn",'
            b' "usage":{"inputTokens":3,"outputTokens":1,"totalTokens":4}}'
        ),
    ),
}


@pytest.mark.parametrize("dialect", _CASES)
def test_what_the_gateway_does_not_own_passes_byte_for_byte(doors: Doors, dialect: str) -> None:
    """Unknown fields, order, spellings of numbers and white space; only the model's name changes."""
    kind, path, wish, reply = _CASES[dialect]
    door = doors.open(kind)
    door.upstream.answer = Answer(raw=reply)
    named = wish.replace(b"%b", b"up/m")
    told = door.post(path.replace("%%", "%"), named)
    assert told.status == 200, told.text
    (asked,) = door.upstream.asked
    assert asked.raw == wish.replace(b"%b", b"m")
    assert told.raw == reply
