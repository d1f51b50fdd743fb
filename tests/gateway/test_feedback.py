"""`POST /v1/feedback`, as an application calls it, up to the journal."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from penstock.pipeline.feedback import MOST_A_MINUTE
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.gateway.asking import ask

CONFIG = """
version: 1
providers: {{sim: {{kind: openai, base_url: "{url}/v1"}}}}
routes: {{pay: {{policy: sim/echo}}}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme, team: research}}
  - {{name: quiet, secret: sk-test-quiet, org: acme, require: {{retention_days: 0}}}}
"""


def send(url: str, body: Any, key: str = "sk-test-gateway") -> tuple[int, dict[str, Any]]:
    """One call: status and body."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url + "/v1/feedback", data, {"authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.fixture
def running(simulator: SimulatorThread) -> Any:
    """A gateway with two keys."""
    with GatewayThread(CONFIG.format(url=simulator.url)) as gateway:
        yield gateway


def test_every_score_is_a_judgement_and_the_answer_follows_the_record(running: GatewayThread) -> None:
    """Thumbs, named scores and an outcome of one request, each with an id of its own."""
    answer = ask(running.url, "pay")
    about = answer.headers["x-penstock-request-id"]
    status, told = send(
        running.url,
        {
            "request_id": about,
            "thumbs": "up",
            "scores": {"groundedness": 0.5},
            "outcome": "escalated",
            "comment": "half of it was right",
        },
    )
    judged = running.call(lambda: list(running.journal.judged))
    assert status == 202
    assert told["ids"] == [each.id for each in judged]
    assert len(set(told["ids"])) == 3
    assert [(each.name, each.value, each.label) for each in judged] == [
        ("feedback", 1.0, ""),
        ("groundedness", 0.5, ""),
        ("resolved", 0.0, "escalated"),
    ]
    assert {(each.request_id, each.subject.org, each.subject.team, each.source) for each in judged} == {
        (about, "acme", "research", "feedback")
    }
    assert [each.comment for each in judged] == ["half of it was right", "", ""]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"thumbs": "up"}, "exactly one of request_id, session and task"),
        ({"request_id": "r", "task": "t", "thumbs": "up"}, "exactly one of"),
        ({"request_id": "r"}, "say something"),
        ({"request_id": "r", "score": 2}, "<= 1"),
        ({"request_id": "r", "score": 0.5, "thumbs": "up"}, "not both"),
        ({"request_id": "r", "thumbs": "sideways"}, "thumbs"),
        ({"request_id": "r", "note": "x"}, "note"),
        ({"request_id": "r", "name": "a b", "score": 1}, "name"),
        ({"request_id": "r", "scores": {f"s{i}": 1 for i in range(17)}}, "at most 16"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
    ],
)
def test_what_cannot_be_taken_says_why(running: GatewayThread, body: Any, says: str) -> None:
    """A sentence names the member at fault, and nothing is put on record."""
    status, told = send(running.url, body)
    assert status == 400
    assert says in told["error"]["message"]
    assert running.call(lambda: list(running.journal.judged)) == []


def test_without_a_key_nothing_is_taken(running: GatewayThread) -> None:
    """Whose it is must be known."""
    status, told = send(running.url, {"request_id": "r", "thumbs": "up"}, "sk-nobody")
    assert (status, told["error"]["code"]) == (401, "invalid_key")


def test_texts_are_not_kept_where_nothing_may_be(running: GatewayThread) -> None:
    """The score counts; the caller is told that its words are gone."""
    said = {"session": "s", "score": 0.5, "comment": "secret", "correction": "secret"}
    status, told = send(running.url, said, "sk-test-quiet")
    (judged,) = running.call(lambda: list(running.journal.judged))
    assert (status, told["texts_kept"]) == (202, False)
    assert (judged.value, judged.session, judged.comment, judged.correction) == (0.5, "s", "", "")


def test_one_key_cannot_fill_the_journal(running: GatewayThread) -> None:
    """Beyond so much in a minute it is told when to come again; other keys go on."""
    for _ in range(MOST_A_MINUTE):
        assert send(running.url, {"task": "t", "score": 1})[0] == 202
    status, told = send(running.url, {"task": "t", "score": 1})
    assert (status, told["error"]["code"]) == (429, "rate_limited")
    assert send(running.url, {"task": "t", "score": 1}, "sk-test-quiet")[0] == 202


def test_a_full_journal_says_so(running: GatewayThread) -> None:
    """What is not on record was not taken."""

    def fill() -> None:
        running.journal.full = True

    running.call(fill)
    status, told = send(running.url, {"task": "t", "score": 1})
    assert (status, told["error"]["code"]) == (503, "journal_full")
