"""Failover drills on live traffic, with fallbacks that do well and some that do not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from penstock.core.drills import DrillRule
from penstock.core.errors import Refusal
from penstock.core.exchange import Drilled
from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.gateway.asking import ask
from tests.service.service import until
from tests.translation.upstream import Answer, Asked, CannedUpstream

CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
  spare: {{kind: openai, base_url: "{spare}/v1"}}
deployments:
  main: {{provider: up, model: echo, price: {{input: 1, output: 2}}}}
  twin: {{provider: up, model: echo, price: {{input: 1.1, output: 2.2}}}}
  dear: {{provider: up, model: echo, price: {{input: 3, output: 6}}}}
  broken: {{provider: up, model: error-503, price: {{input: 1, output: 2}}}}
  loose: {{provider: spare, model: m, price: {{input: 1, output: 2}}}}
  alone: {{provider: up, model: echo}}
routes:
  pay: {{policy: {{fallback: [main, twin, dear, broken, loose]}}, retry: {{attempts: 1}}}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme}}
"""
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
ASKED = {"response_format": {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}}
GOOD = '{"city": "Graz"}'


def said(text: str) -> dict[str, Any]:
    """A whole answer."""
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
    head = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": usage}
    return {**head, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


class Drilled5:
    """A gateway with traffic of many users, of whom a drill takes five in a hundred."""

    def __init__(self, simulator: SimulatorThread, spare: str = "http://127.0.0.1:9") -> None:
        self.gateway = GatewayThread(CONFIG.format(url=simulator.url, spare=spare))
        self.asked = 0

    def begin(self, target: str, **more: Any) -> None:
        """Start a drill."""
        rule = DrillRule("drill_1", "pay", target, 0.05, 3600.0, **more)
        self.gateway.call(lambda: self.gateway.context.drills.begin(rule, self.gateway.context.plan))

    def records(self) -> list[Drilled]:
        """Drills that have ended."""
        return self.gateway.call(lambda: list(self.gateway.journal.drilled))

    def traffic(self, requests: int, prompt: str = "Hello", **fields: Any) -> None:
        """Requests of users that nobody asked for before, until the drill ends."""
        for _ in range(requests):
            self.asked += 1
            tags = {"x-penstock-tags": f"user=u{self.asked}"}
            fields["messages"] = [{"role": "user", "content": prompt}]
            assert ask(self.gateway.url, "pay", headers=tags, **fields).status == 200
            if self.records():
                return

    def ended(self) -> Drilled:
        """The only drill that has ended."""
        until(lambda: bool(self.records()))
        (record,) = self.records()
        return record


def test_a_dearer_fallback_stops_the_drill_and_is_named(simulator: SimulatorThread) -> None:
    """Three times the price is seen within 20 of its requests; every caller got an answer."""
    drill = Drilled5(simulator)
    with drill.gateway:
        drill.begin("dear")
        drill.traffic(600)
        record = drill.ended()
    assert (record.verdict, record.reason.partition(":")[0]) == ("stopped", "cost")
    assert "3.0 times" in record.reason
    assert 5 <= record.report.drilled.n <= 20


def test_a_fallback_that_breaks_the_schema_stops_the_drill_and_is_named(simulator: SimulatorThread) -> None:
    """Prose where JSON of a schema was asked for: three of three are enough."""
    with CannedUpstream(Answer(said("It is in Graz."))) as spare:
        drill = Drilled5(simulator, spare.url)
        with drill.gateway:
            drill.begin("loose")
            drill.traffic(600, GOOD, **ASKED)
            record = drill.ended()
    assert (record.verdict, record.reason.partition(":")[0]) == ("stopped", "schema")
    assert record.report.drilled.n <= 20
    assert record.report.usual.broken == 0
    assert list(record.report.drilled.faults) == ["it is no JSON, which was asked for"]


def test_a_fallback_that_keeps_the_schema_goes_on(simulator: SimulatorThread) -> None:
    """The same answers at nearly the same price are no reason to stop; killing it says who did."""
    drill = Drilled5(simulator)
    with drill.gateway:
        drill.begin("twin")
        drill.traffic(300, GOOD, **ASKED)
        assert drill.records() == []
        drill.gateway.call(lambda: drill.gateway.context.drills.end("pay", "killed", "enough"))
        record = drill.ended()
    assert (record.verdict, record.reason) == ("killed", "enough")
    assert record.report.drilled.n >= 3
    assert record.report.drilled.failed == record.report.drilled.broken == 0
    assert record.report.usual.n > record.report.drilled.n


def test_a_fallback_that_fails_stops_the_drill_and_the_usual_way_answers(simulator: SimulatorThread) -> None:
    """No caller is the worse for it but in time."""
    drill = Drilled5(simulator)
    with drill.gateway:
        drill.begin("broken")
        drill.traffic(600)
        record = drill.ended()
        rows = drill.gateway.exchanges(0)
    assert (record.verdict, record.reason.partition(":")[0]) == ("stopped", "errors")
    assert "status_503" in record.reason
    assert record.report.drilled.n <= 20
    led = [row for row in rows if row.notes.get("drill") == "to"]
    assert {row.attempts[-1].target for row in led} == {"main"}


def test_a_user_stays_on_one_side_and_few_are_led_away(simulator: SimulatorThread) -> None:
    """Five in a hundred users, each always; the others never."""
    drill = Drilled5(simulator)
    with drill.gateway:
        drill.begin("twin")
        sides: dict[str, set[str]] = {}
        for turn in range(2):
            for user in range(300):
                headers = {"x-penstock-tags": f"user=u{user}"}
                told = ask(drill.gateway.url, "pay", headers=headers)
                sides.setdefault(f"u{user}", set()).add(told.headers["x-penstock-target"])
            assert turn in (0, 1)
    assert all(len(each) == 1 for each in sides.values())
    assert 5 <= sum(each == {"twin"} for each in sides.values()) <= 30


def test_tool_calls_are_held_against_the_request(simulator: SimulatorThread) -> None:
    """Arguments that do not obey the tool's schema break what was asked for."""

    def called(_asked: Asked) -> Answer:
        call = {"id": "t1", "type": "function", "function": {"name": "find", "arguments": '{"town": 1}'}}
        reply = said("")
        reply["choices"][0] = {
            "index": 0,
            "message": {"role": "assistant", "content": None, "tool_calls": [call]},
            "finish_reason": "tool_calls",
        }
        return Answer(reply)

    tools = [{"type": "function", "function": {"name": "find", "parameters": SCHEMA}}]
    with CannedUpstream(called) as spare:
        drill = Drilled5(simulator, spare.url)
        with drill.gateway:
            drill.begin("loose")
            drill.traffic(600, json.dumps({"city": "Graz"}), tools=tools)
            record = drill.ended()
    assert record.verdict == "stopped"
    assert "do not obey the tool's schema" in record.reason


@pytest.mark.parametrize(
    ("route", "target", "says"),
    [
        ("nay", "twin", "there is no route 'nay'"),
        ("pay", "alone", "'alone' is no target of the route 'pay'; there are main, twin"),
    ],
)
def test_what_cannot_be_drilled_says_why(
    simulator: SimulatorThread, route: str, target: str, says: str
) -> None:
    """Unknown routes, and targets that the route would never fall back to."""
    drill = Drilled5(simulator)
    with drill.gateway as running:
        rule = DrillRule("d", route, target, 0.05, 60.0)
        with pytest.raises(Refusal, match=says):
            running.call(lambda: running.context.drills.begin(rule, running.context.plan))


def test_two_drills_of_one_route_are_one_too_many_and_a_reload_ends_what_no_longer_fits(
    simulator: SimulatorThread,
) -> None:
    """The second is refused; without its target the first is interrupted, and says so."""
    drill = Drilled5(simulator)
    with drill.gateway as running:
        drill.begin("twin")
        with pytest.raises(Refusal, match="under way"):
            drill.begin("dear")
        config = CONFIG.format(url=simulator.url, spare="http://127.0.0.1:9")
        running.reload(config.replace("[main, twin, dear, broken, loose]", "[main, dear]"))
        record = drill.ended()
    assert record.verdict == "interrupted"
    assert "configuration changed" in record.reason
