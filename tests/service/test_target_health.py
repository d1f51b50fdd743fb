"""What people see of targets' health: `penstock route health` against a real service."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from penstock.cli import main
from penstock.testing.simulator import SimulatorThread
from tests.service.service import Service, until
from tests.service.test_serve import ENV, ask, config


def test_a_failing_target_is_shown_as_left_alone(tmp_path: Path) -> None:
    """After five 503s its breaker is open, and the command says so, with numbers, as a table and as JSON."""
    with (
        SimulatorThread() as simulator,
        Service(tmp_path, config(simulator, model="error-503"), ENV) as service,
    ):
        for _ in range(6):
            ask(service.port)
        until(lambda: bool(simulator.requests(model="error-503")))
        state = ["--state-dir", str(service.state)]
        told = CliRunner().invoke(main, ["route", "health", "--json", *state])
        assert told.exit_code == 0, told.output
        (target,) = [each for each in json.loads(told.output)["targets"] if each["target"] == "main"]
        assert target["breaker"] in {"open", "half_open"}
        assert target["answers"] == 0
        assert target["attempts"] >= 5
        table = CliRunner().invoke(main, ["route", "health", *state])
        assert table.exit_code == 0
        assert "main" in table.output


def test_without_a_service_the_command_says_so(tmp_path: Path) -> None:
    """Nobody to ask is an error that names what to do."""
    told = CliRunner().invoke(main, ["route", "health", "--state-dir", str(tmp_path)])
    assert told.exit_code == 1
    assert "is `penstock serve` running" in told.output
