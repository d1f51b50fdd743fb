"""Conditions over a request: what holds, what is refused, and with which advice."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.compile.conditions import condition_of
from penstock.config.document import WhenNode
from penstock.config.load import load_text
from penstock.config.problem import ConfigError
from penstock.core.exchange import Subject
from penstock.core.plan import VirtualKey
from tests.routing.walking import view

ADA = Subject("acme", "research", "ada", "dev")
KEY = VirtualKey("dev", b"", ADA, tags={"tier": "enterprise"})
THREE = [{"type": "function", "function": {"name": name}} for name in "abc"]
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
SHOWN = [{"role": "user", "content": [{"type": "text", "text": "Look"}, PICTURE]}]


def condition(text: str) -> dict[str, Any]:
    """A condition as the file has it, read and checked."""
    whole = f"routes: {{r: {{policy: {{when: [{{if: {text}, use: sim/a}}], else: sim/b}}}}}}\n"
    document = load_text(f"version: 1\nproviders: {{sim: {{kind: simulator}}}}\n{whole}", {})
    policy = document.routes["r"].policy
    assert isinstance(policy, WhenNode)
    return policy.cases[0].condition


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{key: dev}", True),
        ("{key.tags.tier: enterprise}", True),
        ("{key.tags.tier: {$in: [free, pro]}}", False),
        ("{key.tags.none: {$exists: true}}", False),
        ("{key.tags.none: {$exists: false}}", True),
        ("{key.tags.none: {$ne: x}}", True),
        ("{key.tags.none: {$nin: [x]}}", True),
        ("{key.tags.none: {$lt: 5}}", False),
        ("{request.tags.build: 7}", True),
        ("{request.tags.build: {$gte: 6.5, $lt: 10}}", True),
        ('{request.tags.build: {$gt: "10"}}', True),
        ('{request.tags.build: "7.0"}', False),
        ("{request.tags.word: {$gt: 3}}", False),
        ("{team: {$regex: ^re.*h$}}", True),
        ("{user: {$regex: ^bob}}", False),
        ("{org: acme, user: ada}", True),
        ("{org: acme, user: bob}", False),
        ("{$or: [{user: bob}, {team: research}]}", True),
        ("{$and: [{user: bob}, {team: research}]}", False),
        ("{$not: {user: bob}}", True),
        ("{dialect: openai, endpoint: chat}", True),
        ("{task: {$exists: true}}", False),
        ("{region: eu-west-1}", True),
        ("{input_tokens: {$gt: 100}}", True),
        ("{input_tokens: {$gt: 1000}}", False),
        ("{max_tokens: {$lte: 50}}", True),
        ("{stream: true}", False),
        ("{tools: true}", True),
        ("{tools: 3}", True),
        ("{tools: {$gt: 3}}", False),
        ("{images: true}", True),
        ("{images: {$gte: 2}}", False),
        ("{images: false}", False),
        ("{hour: {$gte: 22}}", True),
    ],
)
def test_a_condition_holds_or_not(text: str, expected: bool) -> None:
    """Every name and operator of the reference does what the page says, on one request."""
    seen = view(
        subject=ADA,
        key=KEY,
        region="eu-west-1",
        tags={"build": "7", "word": "seven"},
        ts_ms=23 * 3_600_000,
        messages=[{"role": "system", "content": "x" * 600}, *SHOWN],
        max_tokens=50,
        tools=THREE,
    )
    assert condition_of(condition(text)).holds(seen) is expected


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("{input_token: 5}", "3:36", "did you mean 'input_tokens'?"),
        ("{user: {$eqq: x}}", "3:43", "did you mean '$eq'?"),
        ("{key: {tags: {tier: x}}}", "3:42", "write names with dots, as in key.tags"),
        ("{key.tags: x}", "3:36", "name the tag, as in key.tags.tier"),
        ("{user: [a, b]}", "3:42", "write {$in: [ … ]}"),
        ("{user: {$in: []}}", "3:48", "expected a list of values"),
        ("{input_tokens: many}", "3:50", "expected a number"),
        ("{input_tokens: {$regex: x}}", "3:59", "$regex fits text only"),
        ("{stream: {$gt: true}}", "3:50", "it is true or false"),
        ("{tools: {$gt: true}}", "3:49", "no order"),
        ("{user: {$regex: '(a'}}", "3:51", "RE2 does not take"),
        ("{user: {$regex: '(?=a)'}}", "3:51", "no lookaround"),
        ("{user: {$regex: '((a{100}){100}){100}'}}", "3:51", "RE2 does not take"),
        ("{$eq: x}", "3:36", "an operator belongs under a name"),
        ("{$nor: []}", "3:36", "is no condition"),
        ("{}", "3:35", "an empty condition"),
        ("{$and: []}", "3:42", "expected a list of conditions"),
        ("{user: true}", "3:42", "put it in quotes"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_refused_where_it_stands(text: str, place: str, words: str) -> None:
    """The message has line and column, and says how to mend it."""
    with pytest.raises(ConfigError) as caught:
        condition(text)
    told = str(caught.value)
    assert f"penstock.yaml:{place}:" in told
    assert words in told


def test_a_pattern_is_bounded_in_size() -> None:
    """A pattern of more than a thousand characters is refused, before anything is compiled."""
    with pytest.raises(ConfigError, match="at most 1000 characters"):
        condition(f"{{user: {{$regex: '{'a' * 1001}'}}}}")


def test_nothing_is_decoded_that_no_condition_asks_for() -> None:
    """A view of a request whose conversation is nonsense answers what does not need it."""
    seen = view(messages=7, subject=ADA)
    assert seen.value("user") == "ada"
    assert seen.value("images") == 0
    assert not seen.prompt
