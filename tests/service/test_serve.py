"""`penstock serve` as a user runs it: reload, drain, processes that are down, budgets across a restart."""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.testing.simulator import SimulatorThread
from tests.service.load import Load
from tests.service.service import Service, until

KEY = "sk-service"
CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1", api_key: "${{UPSTREAM_KEY}}"}}
deployments:
  main: {{provider: up, model: {model}, price: {{input: 1, output: 2}}}}
routes:
  {route}: {{policy: main}}
keys:
  - {{name: dev, secret: sk-service, org: acme, budget: {{usd: {usd}, window: total}}}}
"""
ENV = {"UPSTREAM_KEY": "sk-upstream-secret"}


def config(simulator: SimulatorThread, *, route: str = "chat", usd: str = "1000", model: str = "echo") -> str:
    """The configuration with one route."""
    return CONFIG.format(url=simulator.url, route=route, usd=usd, model=model)


def ask(port: int, model: str = "chat", **fields: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    """One chat request: status, body, headers."""
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], **fields}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, json.load(response), dict(response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), dict(error.headers)


@pytest.fixture
def simulator() -> Iterator[SimulatorThread]:
    """An upstream that outlives the service."""
    with SimulatorThread() as running:
        yield running


def test_a_reload_under_load_drops_nothing(tmp_path: Path, simulator: SimulatorThread) -> None:
    """The file changes ten times under load, one time with an error; every request is answered."""
    with Service(tmp_path, config(simulator), ENV) as service:
        load = Load(service.port, KEY, threads=4)
        load.start()
        load.wait_for(10)
        for number in range(10):
            other = f"extra{number}"
            text = config(simulator) + f"  - {{name: {other}, secret: sk-{other}-0123456789}}\n"
            service.config.write_text(text)
            if number % 2:
                service.signal(signal.SIGHUP)
            load.wait_for(len(load.complete) + 5)
        service.config.write_text("version: 1\nprovidres: {}\n")
        until(lambda: "did you mean 'providers'" in service.output.read_text())
        load.wait_for(len(load.complete) + 20)
        load.stop()
        assert load.broken == 0
        assert len(load.complete) == load.sent


def test_a_reload_brings_and_takes_routes(tmp_path: Path, simulator: SimulatorThread) -> None:
    """A route that is renamed in the file answers under its new name and is unknown under the old one."""
    with Service(tmp_path, config(simulator), ENV) as service:
        assert ask(service.port)[0] == 200
        service.config.write_text(config(simulator, route="talk"))
        until(lambda: ask(service.port, "talk")[0] == 200)
        status, body, _ = ask(service.port, "chat")
        assert (status, body["error"]["code"]) == (404, "unknown_model")
        assert "talk" in body["error"]["message"]


def test_traffic_goes_on_while_worker_and_control_are_down(tmp_path: Path, simulator: SimulatorThread) -> None:
    """With both stopped requests are answered, and the ledger has them all once the worker is back."""
    with Service(tmp_path, config(simulator), ENV) as service:
        stopped = [service.pid("worker"), service.pid("control")]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            answers = [ask(service.port)[0] for _ in range(20)]
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        assert answers == [200] * 20
        assert len(service.logs()) == 20


def test_a_gateway_starts_from_its_snapshot_with_everything_else_down(
    tmp_path: Path, simulator: SimulatorThread
) -> None:
    """With control and worker stopped and no ledger to read, a killed gateway comes back and serves."""
    with Service(tmp_path, config(simulator), ENV) as service:
        assert ask(service.port)[0] == 200
        stopped = [service.pid("worker"), service.pid("control")]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            service.config.write_text("not: [valid")
            service.kill("gateway")
            service.wait_ready()
            assert ask(service.port)[0] == 200
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)


def test_a_budget_is_remembered_across_kill_9(tmp_path: Path, simulator: SimulatorThread) -> None:
    """What was spent before a kill counts after it, so that the budget is never overspent."""
    with Service(tmp_path, config(simulator, usd="0.001", model="tokens-10"), ENV) as service:
        spent = 0
        for number in range(40):
            status, body, _ = ask(service.port, max_tokens=10)
            if status == 402:
                assert body["error"]["code"] == "budget_exceeded"
                break
            assert status == 200
            usage = body["usage"]
            spent += usage["prompt_tokens"] * 1000 + usage["completion_tokens"] * 2000
            if number % 7 == 3:
                service.kill("gateway")
                service.wait_ready()
        else:
            pytest.fail("the budget was never reached")
        assert 0 < spent <= 1_000_000
        rows = service.logs()
        assert sum(row["cost_nanousd"] or 0 for row in rows) <= 1_000_000


def test_a_drain_lets_streams_finish(tmp_path: Path, simulator: SimulatorThread) -> None:
    """SIGTERM during a slow stream: the stream arrives whole, then the service is gone."""
    with Service(tmp_path, config(simulator, model="tokens-30+itl-20ms"), ENV) as service:
        load = Load(service.port, KEY, threads=1)
        load.start()
        until(lambda: bool(simulator.requests()))
        load.end_after_current()
        service.stop()
        load.stop()
        assert len(load.complete) >= 1
        assert load.broken == 0


def test_secrets_stay_in_the_process(tmp_path: Path, simulator: SimulatorThread) -> None:
    """No key and no credential stands in the output, the snapshot, the journal or the ledger."""
    with Service(tmp_path, config(simulator), ENV) as service:
        assert ask(service.port)[0] == 200
        assert ask(service.port, "chat/unknown")[0] == 404
        assert len(service.logs()) >= 1
    secrets = [KEY.encode(), ENV["UPSTREAM_KEY"].encode()]
    files = [path for path in service.state.rglob("*") if path.is_file()] + [service.output]
    assert len(files) > 4
    for path in files:
        content = path.read_bytes()
        assert not any(secret in content for secret in secrets), path
