"""`penstock serve` replaced by the version on disk, under load: nobody is refused, no cent is lost."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from penstock.testing.simulator import SimulatorThread
from tests.service.processes import Served
from tests.service.service import Service, free_port, until
from tests.service.workers import Clients, ask, config, gateways

ROLES = ("worker", "control", "gateway")


def _pids(service: Service) -> set[int]:
    """All processes below the supervisor."""
    return {pid for role in (*ROLES, "accounts") for pid in service.pids(role)}


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.long), 2])
def test_the_program_is_replaced_without_a_dropped_request(tmp_path: Path, workers: int) -> None:
    """SIGUSR2: every process is another one, the supervisor keeps its id, and a hard budget holds."""
    with (
        SimulatorThread() as simulator,
        Service(
            tmp_path,
            config(simulator.url, "budget: {usd: 1, window: total}", workers=workers, model="slow-50ms"),
        ) as service,
    ):
        gateways(service, workers)
        until((service.state / "control.sock").exists)
        supervisor, before = service.supervisor, _pids(service)
        clients = Clients(service.port, 4, pause_s=0.05)
        clients.start()
        clients.wait_for(10)
        service.signal(signal.SIGUSR2)
        until(lambda: not before & _pids(service) and len(service.pids("gateway")) == workers, 60.0)
        clients.wait_for(10, 402)
        answers = clients.stop()
        rows = service.logs()
        assert service.supervisor == supervisor
    assert set(answers.statuses) == {200, 402}, answers.codes
    assert (answers.statuses[200], answers.ended) == (100, 0)
    assert sum(row["cost_nanousd"] for row in rows) == 10**9
    assert all(row["outcome"] != "interrupted" for row in rows)


def test_a_version_that_cannot_take_over_changes_nothing(tmp_path: Path) -> None:
    """What is on disk is tried first: with a configuration that it refuses, everything goes on."""
    with (
        SimulatorThread() as simulator,
        Service(tmp_path, config(simulator.url, "limits: {rpm: 1000}", workers=1)) as service,
    ):
        gateways(service, 1)
        before = _pids(service)
        service.config.write_text("version: 1\nnonsense: true\n")
        service.signal(signal.SIGUSR2)
        until(lambda: "cannot take over, this one goes on" in service.output.read_text())
        assert "nonsense" in service.output.read_text()
        assert before <= _pids(service)
        connection = service.connect()
        assert ask(connection)[0] == 200
        connection.close()


def _version(folder: Path, name: str) -> Path:
    """A version of the program that says its name when it starts."""
    made = folder / name
    made.mkdir()
    script = made / "penstock"
    text = f"import sys\nprint('this is {name}', flush=True)\nfrom penstock.cli import main\nsys.exit(main())\n"
    script.write_text(f"#!{sys.executable}\n{text}")
    script.chmod(0o755)
    return made


@pytest.mark.long
def test_a_link_that_leads_to_another_version_is_followed(tmp_path: Path) -> None:
    """As versions are installed beside each other: what the path means now takes over, with its own options."""
    first, second = _version(tmp_path, "version-1"), _version(tmp_path, "version-2")
    current = tmp_path / "current"
    current.symlink_to(first)
    file = tmp_path / "penstock.yaml"
    file.write_text("version: 1\nproviders: {sim: {kind: simulator}}\nroutes: {chat: {policy: sim/echo}}\n")
    program, port = current / "penstock", free_port()
    with Served(file, tmp_path / "state", listen=port, program=program) as served:
        served.wait_said(f"Penstock listens on http://127.0.0.1:{port}")
        until(lambda: len(served.roles()) == 3)
        assert served.said.startswith("this is version-1")
        before = served.pids("gateway")
        current.unlink()
        current.symlink_to(second)
        os.kill(served.pid, signal.SIGUSR2)
        served.wait_said("this is version-2")
        until(lambda: bool(served.pids("gateway")) and not set(before) & set(served.pids("gateway")), 40.0)
        assert served.said.count(f"Penstock listens on http://127.0.0.1:{port}") == 2
