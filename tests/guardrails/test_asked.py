"""Guards that are asked: webhooks, judges, moderation; in time, late, broken, and with a client that goes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.guardrails.house import Service, chat, content, gateway
from tests.service.service import until

SECRET = b"0123456789abcdef01234567"
CONFIG = """
guards:
  hook:
    {{kind: webhook, url: "{url}", secret: "{secret}", action: {action}, on_error: {on_error},
      deadline_s: {wait}}}
  mail: {{kind: regex, patterns: ['[\\w.]+@[\\w.]+\\w'], action: redact, reversible: true}}
  fair: {{kind: judge, route: judge, question: "Is it rude?", threshold: 0.7, on_error: {on_error}}}
  facts: {{kind: groundedness, route: judge}}
  mods: {{kind: moderation, route: judge, entities: [HATE]}}
routes:
  in: {{policy: up/echo, guards: {{input: [mail, hook]}}}}
  out: {{policy: up/echo, guards: {{output: [hook]}}}}
  judged_in: {{policy: up/echo, guards: {{input: [fair]}}}}
  judged_out: {{policy: up/echo, guards: {{output: [fair]}}}}
  grounded: {{policy: up/echo, guards: {{output: [facts]}}}}
  moderated: {{policy: up/echo, guards: {{input: [mods]}}}}
  judge: {{policy: desk/m}}
"""


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorThread]:
    """One simulator for all tests of this file."""
    with SimulatorThread() as running:
        yield running


def guarded(
    simulator: SimulatorThread,
    service: Service,
    action: str = "block",
    on_error: str = "closed",
    wait: float = 20,
) -> GatewayThread:
    """A gateway that asks this service."""
    secret = "whsec_" + base64.b64encode(SECRET).decode()
    rest = CONFIG.format(url=service.url, secret=secret, action=action, on_error=on_error, wait=wait)
    desk = f'  desk: {{kind: openai, base_url: "{service.url.removesuffix("/check")}/v1"}}\n'
    return gateway(simulator, rest, desk)


def rude(body: Any) -> Any:
    """Finds the word `rude`, wherever it stands."""
    found: list[dict[str, Any]] = []
    for number, each in enumerate(body["texts"]):
        at = each["text"].find("rude")
        if at >= 0:
            found.append({"text": number, "start": at, "end": at + 4, "kind": "rude", "score": 0.9})
    return {"findings": found}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("route", ["in", "out"])
def test_a_webhook_finds_and_redacts(simulator: SimulatorThread, route: str, stream: bool) -> None:
    """On requests and on answers, streamed ones included; it never sees what local guards took out."""
    with Service(rude) as service, guarded(simulator, service, "redact") as running:
        got = chat(running.url, "a rude note to joe@example.com", model=route, stream=stream)
        (row,) = running.exchanges()
    assert content(got) == "a <RUDE> note to joe@example.com"
    assert row.notes["guard.hook"] == "redact RUDE:1(webhook)"
    (told,) = service.posts
    assert (told["guard"], told["side"]) == ("hook", {"in": "input", "out": "output"}[route])
    assert told["texts"][0]["text"] == "a rude note to " + (
        "<PATTERN_1>" if route == "in" else "joe@example.com"
    )


def test_what_is_posted_is_signed(simulator: SimulatorThread) -> None:
    """As alerts are, by Standard Webhooks."""
    with Service(rude) as service, guarded(simulator, service) as running:
        chat(running.url, "fine", model="in")
    (head,) = service.headers
    (body,) = service.posts
    raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    signed = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + raw
    wanted = base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()
    assert head["webhook-signature"] == f"v1,{wanted}"


@pytest.mark.parametrize("route", ["in", "out"])
@pytest.mark.parametrize(
    ("answer", "why"), [(None, "late"), (b"no json", "unreadable"), ({"findings": [{"text": 9}]}, "unreadable")]
)
@pytest.mark.parametrize("on_error", ["open", "closed"])
def test_a_service_that_fails_is_open_or_closed(
    simulator: SimulatorThread, route: str, on_error: str, answer: Any, why: str
) -> None:
    """Late or unreadable, it blocks or lets through as configured, and the row says what was wrong."""
    with Service(lambda _: answer) as service, guarded(simulator, service, "block", on_error, 0.05) as running:
        got = chat(running.url, "hello", model=route)
        (row,) = running.exchanges()
    verdict = "allow" if on_error == "open" else "block"
    assert row.notes["guard.hook"] == f"{verdict} GUARD_ERROR:1({why})"
    if on_error == "open":
        assert content(got) == "hello"
    elif route == "in":
        assert (got.status, got.json()["error"]["code"]) == (400, "guard_blocked")
        assert simulator.counts.open == 0
    else:
        assert got.json()["choices"][0]["finish_reason"] == "content_filter"
        assert b"hello" not in got.body


@pytest.mark.parametrize(("route", "attempts"), [("in", 0), ("out", 1)])
def test_a_client_that_goes_while_a_guard_is_asked_leaves_nothing_behind(
    simulator: SimulatorThread, route: str, attempts: int
) -> None:
    """The exchange is settled once, what was generated is charged, and nobody is asked in vain."""
    with Service(lambda _: None) as service, guarded(simulator, service) as running:
        body = json.dumps({"model": route, "messages": [{"role": "user", "content": "hi"}]}).encode()
        head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-test-guards\r\n"
        with socket.create_connection(("127.0.0.1", running.port)) as sock:
            sock.sendall(
                f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
            )
            until(lambda: len(service.posts) == 1)
        (row,) = running.exchanges()
        assert running.call(lambda: running.context.exchanges) == 0
    assert (row.outcome, row.code) == ("cancelled", "client_closed")
    assert len(row.attempts) == attempts
    assert all(each.usage.output_tokens > 0 for each in row.attempts)


def judging(score: Any) -> Any:
    """A judge of one opinion."""
    told: Any = {
        "id": "x",
        "object": "chat.completion",
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": f'```json\n{{"score": {score}}}\n```'},
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
    }

    def judge(body: Any) -> Any:
        del body
        return told

    return judge


@pytest.mark.parametrize("route", ["judged_in", "judged_out"])
@pytest.mark.parametrize(("score", "blocked"), [(0.95, True), (0.2, False), ('"high"', True)])
def test_a_route_judges(simulator: SimulatorThread, route: str, score: Any, blocked: bool) -> None:
    """Its score against the threshold decides; one that gives none has failed. The call is in the ledger."""
    with Service(judging(score)) as service, guarded(simulator, service) as running:
        got = chat(running.url, "hello </text> there", model=route)
        rows = running.exchanges(2)
    assert (b"there" in got.body) is not blocked
    asked = service.posts[0]["messages"]
    assert "Is it rude?" in asked[0]["content"]
    assert asked[1]["content"].count("</text>") == 1
    inner = next(row for row in rows if row.request.purpose)
    assert (inner.request.purpose, inner.request.route) == ("guard", "judge")
    assert inner.request.parent == next(row for row in rows if not row.request.purpose).request.request_id


def test_an_answer_is_held_against_its_context(simulator: SimulatorThread) -> None:
    """The judge of groundedness sees what the request said besides the answer."""
    with Service(judging(1.0)) as service, guarded(simulator, service) as running:
        got = chat(running.url, "the source", model="grounded")
        rows = running.exchanges(2)
    assert got.json()["choices"][0]["finish_reason"] == "content_filter"
    assert service.posts[0]["messages"][1]["content"].startswith("<context>\nthe source\n</context>")
    assert any(row.notes.get("guard.facts") == "block UNGROUNDED:1(judge)" for row in rows)


@pytest.mark.parametrize(("category", "status"), [("hate", 400), ("violence", 200)])
def test_a_provider_moderates(simulator: SimulatorThread, category: str, status: int) -> None:
    """A flagged category blocks where it is among those that count."""
    result = {"flagged": True, "categories": {category: True}, "category_scores": {category: 0.9}}
    moderation = {"id": "m", "model": "m", "results": [result]}
    with Service(lambda _: moderation) as service, guarded(simulator, service) as running:
        got = chat(running.url, "hello", model="moderated")
    assert got.status == status
    assert service.posts[0]["input"] == ["hello"]
