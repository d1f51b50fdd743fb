"""State that earlier versions left is read by this one: nothing is lost, counted twice or refused."""

from __future__ import annotations

import sqlite3
import tarfile
from pathlib import Path

import pytest

from penstock.bootstrap.plan_source import PlanSource
from penstock.bootstrap.state_dir import StateDir
from penstock.testing.simulator import SimulatorThread
from tests.compatibility.keep import CONFIG, IN_JOURNAL, IN_LEDGER, ask
from tests.service.service import Service

KEPT = sorted(Path(__file__).parent.glob("*.tar.gz"), key=lambda path: path.name)
NOW_MS = 1_900_000_000_000


def unpacked(archive: Path, folder: Path) -> StateDir:
    """A copy of a kept state directory."""
    state = StateDir(folder / "state")
    state.create()
    with tarfile.open(archive) as file:
        file.extractall(state.root)  # noqa: S202 - it is our own
    return state


@pytest.mark.parametrize("archive", KEPT, ids=lambda path: path.stem)
def test_a_gateway_starts_from_what_an_earlier_version_published(archive: Path, tmp_path: Path) -> None:
    """Snapshot, keyring and sealed credentials: with control away, as an upgrade may find it."""
    source = PlanSource(unpacked(archive, tmp_path), {})
    plan = source.load(NOW_MS)
    assert set(plan.routes) == {"chat", "hang"}
    assert source.settings.providers["up"].api_key is not None
    assert source.settings.providers["up"].api_key.resolve({}) == "sk-upstream-literal"


@pytest.mark.parametrize("archive", KEPT, ids=lambda path: path.stem)
def test_the_service_goes_on_where_an_earlier_version_was_switched_off(archive: Path, tmp_path: Path) -> None:
    """Every answer has its row, what was under way is charged, and the budget goes on."""
    unpacked(archive, tmp_path)
    cents = IN_LEDGER + IN_JOURNAL + 1
    with SimulatorThread() as simulator, Service(tmp_path, CONFIG.format(url=simulator.url)) as service:
        statuses = [ask(service, "chat") for _ in range(101 - cents)]
        rows = service.logs()
    assert statuses == [200] * (100 - cents) + [402]
    outcomes = [row["outcome"] for row in rows if row["status"] != 402]
    assert outcomes.count("ok") == 99
    assert outcomes.count("interrupted") == 1
    assert sum(row["cost_nanousd"] for row in rows) == 10**9
    with sqlite3.connect(service.state / "control.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_something_is_kept() -> None:
    """The tests above have at least one state to read."""
    assert KEPT
