"""Marks put into recorded bodies change nothing else of them."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from penstock.core.prompt_cache import MAX_MARKS, PrefixMemory, PromptCacheRule, ends
from penstock.providers.prompt_marks import body_of
from penstock.wire.json_fields import scan
from tests.translation.recordings import exchanges

RULE = PromptCacheRule("marks", always=True)


def _bare(value: Any) -> Any:
    """A body without marks, and with text as the block that it is short for."""
    if isinstance(value, list):
        return [_bare(each) for each in cast("list[Any]", value) if not _is_point(each)]
    if not isinstance(value, dict):
        return value
    out = {key: _bare(each) for key, each in cast("dict[str, Any]", value).items() if key != "cache_control"}
    for name in ("system", "content"):
        if isinstance(out.get(name), str):
            out[name] = [{"type": "text", "text": out[name]}]
    return out


def _is_point(value: Any) -> bool:
    return isinstance(value, dict) and list(cast("dict[str, Any]", value)) == ["cachePoint"]


def _count(text: bytes) -> int:
    return text.count(b'"cache_control":{"type":"ephemeral"}') + text.count(
        b'{"cachePoint":{"type":"default"}}'
    )


@pytest.mark.parametrize(
    ("api", "shape"),
    [("anthropic.messages", "anthropic"), ("bedrock.invoke", "anthropic"), ("bedrock.converse", "converse")],
)
def test_a_marked_body_says_what_it_said_before(api: str, shape: str) -> None:
    """Every recorded request, once with each piece marked that can be: the rest is the same JSON."""
    marked = 0
    for exchange in exchanges(api):
        if not exchange.as_sent:
            continue
        request: Any = exchange.request
        before = json.dumps(request, ensure_ascii=False).encode()
        body = body_of(scan(before), shape)
        if body is None or body.prompt.marked():
            continue
        marks = PrefixMemory().choose(ends(body.prompt), "p", RULE, 0, 0.0)
        after = scan(before).patch(body.edits(marks, RULE.ttl_s))
        assert _bare(json.loads(after)) == _bare(request), exchange.id
        assert _count(after) - _count(before) == len(marks) <= MAX_MARKS
        marked += bool(marks)
    assert marked > 10
