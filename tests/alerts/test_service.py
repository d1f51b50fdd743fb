"""Alerts in `penstock serve`: budgets, webhooks that are down, a worker that is killed, and the commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from penstock.cli import main
from penstock.testing.simulator import SimulatorThread
from tests.alerts.receiver import SECRET, Receiver
from tests.service.service import Service, free_port, until
from tests.service.test_serve import ask

CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
deployments:
  main: {{provider: up, model: echo, price: {{input: 0, output: 0, request: 0.3}}}}
routes:
  chat: {{policy: main}}
keys:
  - {{name: dev, secret: sk-service, org: acme, budget: {{usd: 1, window: month, alerts: [0.25, 0.5]}}}}
  - {{name: rich, secret: sk-rich, org: acme, budget: {{usd: 1000, window: month}}}}
alerts:
  webhooks:
    ops: {{url: "{hook}?token=in-the-url", secret: {secret}}}
    other: {{url: "{hook}", secret: {secret}, kinds: [other.kind]}}
"""


@pytest.fixture
def simulator() -> Iterator[SimulatorThread]:
    """An upstream."""
    with SimulatorThread() as running:
        yield running


def config(simulator: SimulatorThread, hook: str) -> str:
    """Requests for 30 cents each against a dollar, told at a quarter and a half."""
    return CONFIG.format(url=simulator.url, hook=hook, secret=SECRET)


def penstock(service: Service, *words: str) -> tuple[int, str]:
    """Run a command about the service."""
    done = CliRunner().invoke(main, [*words, "--state-dir", str(service.state)])
    return done.exit_code, done.output


def listed(service: Service) -> list[dict[str, Any]]:
    """What `alerts list` shows."""
    return [json.loads(line) for line in penstock(service, "alerts", "list", "--json")[1].splitlines()]


def states(service: Service) -> set[str]:
    """How the deliveries stand."""
    return {told["state"] for each in listed(service) for told in each["deliveries"]}


def test_a_budget_that_is_spent_reaches_its_webhook(tmp_path: Path, simulator: SimulatorThread) -> None:
    """A third and two thirds of a dollar are two signed alerts; the key that spends little has none."""
    with Receiver() as receiver, Service(tmp_path, config(simulator, receiver.url)) as service:
        assert ask(service.port)[0] == 200
        until(lambda: len(receiver.got) == 1)
        assert ask(service.port)[0] == 200
        until(lambda: len(receiver.got) == 2)
        until(lambda: states(service) == {"sent"})
        assert [body["data"]["threshold"] for _, body in receiver.got] == [0.25, 0.5]
        assert receiver.got[0][1]["data"]["message"] == "key dev has spent 30% of its $1.00 (month)"
        assert receiver.got[0][1]["data"]["org"] == "acme"
        assert [each["id"] for each in listed(service)] == receiver.ids
        text = penstock(service, "alerts", "list")[1]
        assert "info     budget.share: key dev has spent 30% of its $1.00 (month)" in text
        assert "ops: sent" in text
        assert "alert info budget.share: key dev has spent 30%" in service.output.read_text()


def test_a_worker_killed_while_it_delivers_delivers_again(tmp_path: Path, simulator: SimulatorThread) -> None:
    """`kill -9` between outbox and delivery, and during it: the alert comes, under the same id each time."""
    port = free_port()
    hook = f"http://127.0.0.1:{port}/hook"
    with Service(tmp_path, config(simulator, hook)) as service:
        assert ask(service.port)[0] == 200
        until(lambda: states(service) == {"waiting"})
        service.kill("worker")
        with Receiver(port=port) as receiver:
            receiver.hold.set()
            until(lambda: len(receiver.got) == 1, 60)
            service.kill("worker")
            receiver.hold.clear()
            receiver.release.set()
            until(lambda: len(receiver.got) == 2, 60)
            until(lambda: states(service) == {"sent"})
            assert len(set(receiver.ids)) == 1
            assert len(listed(service)) == 1


def test_webhooks_follow_the_configuration(tmp_path: Path, simulator: SimulatorThread) -> None:
    """A changed address is in force without a restart; one that cannot work is refused, the old one stays."""
    with Receiver() as first, Receiver() as second, Service(tmp_path, config(simulator, first.url)) as service:
        service.config.write_text(config(simulator, first.url).replace(SECRET, "whsec_short"))
        until(lambda: "alerts.webhooks.ops.secret: write whsec_" in service.output.read_text())
        assert penstock(service, "alerts", "test", "ops") == (0, "ops: it took the alert\n")
        assert first.ids[0].startswith("test-")
        service.config.write_text(config(simulator, second.url))
        until(lambda: penstock(service, "alerts", "test")[1].startswith("ops") and len(second.got) >= 2)
        assert ask(service.port)[0] == 200
        until(lambda: any(body["type"] == "budget.share" for _, body in second.got))


def test_the_test_command_says_what_is_wrong(tmp_path: Path, simulator: SimulatorThread) -> None:
    """It fails where a webhook does, names an unknown one's neighbours, and never shows the address."""
    with Receiver() as receiver, Service(tmp_path, config(simulator, receiver.url)) as service:
        receiver.status = 500
        status, text = penstock(service, "alerts", "test")
        assert (status, text) == (1, "ops: it answered 500\nother: it answered 500\n")
        status, text = penstock(service, "alerts", "test", "none", "--json")
        assert (status, text) == (1, "Error: no webhook 'none'; known: ops, other\n")
        assert "in-the-url" not in text
        assert penstock(service, "alerts", "list") == (0, "no alert was raised yet\n")


ACTING = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
deployments:
  main: {{provider: up, model: echo, price: {{input: 0, output: 0, request: 0.5}}}}
orgs: {{acme: {{}}}}
routes:
  chat: {{policy: main}}
keys:
  - {{name: dev, secret: sk-service, org: acme}}
alerts:
  outliers: {{times: 5}}
  actions: {{runaway: {{kinds: [user.outlier], limits: {{rpm: 1}}, for: 1h}}}}
  webhooks:
    ops: {{url: "{hook}", secret: {secret}}}
"""


def test_a_user_who_spends_far_more_is_throttled(tmp_path: Path, simulator: SimulatorThread) -> None:
    """From the ledger to the gateway: the alert, the throttle, the webhook that says so, its end by hand."""
    with Receiver() as receiver:
        text = ACTING.format(url=simulator.url, hook=receiver.url, secret=SECRET)
        with Service(tmp_path, text) as service:

            def say(user: str) -> int:
                return ask(service.port, metadata={"user": user})[0]

            assert [say(user) for user in ("a", "b", "c")] == [200] * 3
            assert [say("jane") for _ in range(6)] == [200] * 6
            until(lambda: len(receiver.got) == 2, 60)
            (_, raised), (_, taken) = receiver.got
            assert (raised["type"], raised["data"]["labels"]["account"]) == ("user.outlier", "user:acme/jane")
            assert (taken["type"], taken["data"]["labels"]["action"]) == ("action.taken", "runaway")
            assert sorted(say("jane") for _ in range(3)) == [200, 429, 429]
            assert say("a") == 200
            name = taken["data"]["labels"]["throttle"]
            status, text = penstock(service, "audit", "list", "--json")
            assert status == 0
            made = next(json.loads(line) for line in text.splitlines() if '"throttle"' in line)
            assert (made["actor"], made["name"], made["org"]) == ("operator:alerts", name, "acme")
            assert (
                penstock(service, "throttles", "delete", name, "--org", "acme", "--reason", "talked to")[0] == 0
            )
            assert [say("jane") for _ in range(3)] == [200] * 3
            assert "action runaway: sent" in penstock(service, "alerts", "list")[1]
