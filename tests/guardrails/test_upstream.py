"""What vendors, candidates and services see of a screened request, and what is put back into calls of tools."""

from __future__ import annotations

import json
from typing import Any

from penstock.testing.gateway import GatewayThread
from tests.guardrails.house import KEY, Service, chat, post
from tests.service.service import until

CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{up}/v1"}}
keys: [{{name: dev, secret: {key}, org: acme}}]
guards:
  mail: {{kind: regex, patterns: ['[\\w.]+@[\\w.]+\\w'], action: redact, reversible: true}}
routes:
  r: {{policy: up/m, mirror: {{to: up/candidate, percent: 100}}, guards: {{input: [mail]}}}}
"""


def answering(body: Any) -> Any:
    """A vendor that calls a tool with what it was told."""
    if "input" in body:
        return {"object": "list", "model": "m", "data": [], "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    said = body["messages"][-1]["content"]
    call = {"id": "c", "type": "function", "function": {"name": "send", "arguments": json.dumps({"to": said})}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    return {
        "id": "x",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    }


def test_vendor_and_candidate_see_the_same_screened_request() -> None:
    """A mirror's copy has the placeholder too, and the client's own tool gets the address back."""
    with Service(answering) as vendor:
        up = vendor.url.removesuffix("/check")
        with GatewayThread(CONFIG.format(up=up, key=KEY)) as running:
            got = chat(running.url, 'to "joe"@x joe@example.com', metadata={"a": "b"})
            until(lambda: len(vendor.posts) == 2)
    arguments = got.json()["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {"to": 'to "joe"@x joe@example.com'}
    assert sorted(each["model"] for each in vendor.posts) == ["candidate", "m"]
    for each in vendor.posts:
        assert each["messages"] == [{"role": "user", "content": 'to "joe"@x <PATTERN_1>'}]
        assert each["metadata"] == {"a": "b"}


def test_what_is_embedded_is_screened() -> None:
    """Personal data in an embeddings request never reaches the vendor."""
    with Service(answering) as vendor:
        up = vendor.url.removesuffix("/check")
        with GatewayThread(CONFIG.format(up=up, key=KEY)) as running:
            got = post(
                running.url,
                "/v1/embeddings",
                {"model": "r", "input": ["joe@example.com", "x", "joe@example.com"]},
            )
    assert got.status == 200
    assert vendor.posts[0]["input"] == ["<PATTERN_1>", "x", "<PATTERN_1>"]
