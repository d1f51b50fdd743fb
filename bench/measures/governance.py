"""What limits and budgets cost a request, counted in the process, leased from an owner, and from Redis."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

from bench.contenders.penstock import HOME, Penstock
from bench.install import ROOT
from bench.process import Process, spawn
from bench.run import Run
from bench.stage import GATEWAY_CORE, OTHER_CORE
from scripts.test_tools import TOOLS

MEASURE = "governance"
LIMIT_S = 120
START_S = 10.0


def governance(run: Run) -> None:
    """`bench.governance_probe` in the environment that is measured; owner and Redis run on the other core.

    Redis is that of the tests (`scripts/test_tools.py redis`); without it a note stands in place of its row.
    """
    python = HOME / "bin" / "python"
    if not any(contender.name == Penstock.name for contender in run.contenders) or not python.exists():
        return
    state = run.folder / MEASURE
    for folder in (state, state / "run", state / "journal"):
        folder.mkdir(mode=0o700)
    owner = _owner(python, state)
    redis, url = _redis(state)
    if redis is None:
        run.records.note(
            MEASURE, Penstock.name, "no redis-server: `python scripts/test_tools.py redis` gets one"
        )
    places = {"memory": str(state), "leased": str(state), **({"redis": url} if redis is not None else {})}
    try:
        for _ in range(run.settings.rounds):
            found = {mode: _probe(python, mode, where) for mode, where in places.items()}
            if None in found.values():
                run.records.note(MEASURE, Penstock.name, "its probe failed")
                return
            run.records.add(
                MEASURE, Penstock.name, **{f"{mode}_us": value or 0.0 for mode, value in found.items()}
            )
    finally:
        owner.end()
        if redis is not None:
            redis.end()


def _redis(state: Path) -> tuple[Process | None, str]:
    """A server of its own, and its URL; None where there is no program."""
    tool = TOOLS["redis"]
    if not tool.ready:
        return None, ""
    path = state / "redis.sock"
    command = [str(tool.folder / "redis-server"), "--port", "0", "--save", "", "--unixsocket", str(path)]
    server = spawn("redis", command, state / "redis.log", core=OTHER_CORE, cwd=state)
    _wait_for(path)
    return server, f"unix://{path}"


def _owner(python: Path, state: Path) -> Process:
    command = ["env", f"PENSTOCK_STATE_DIR={state}", str(python), "-m", "penstock.bootstrap.accounts"]
    owner = spawn("accounts", command, state / "log", core=OTHER_CORE, cwd=state)
    _wait_for(state / "run" / "accounts.sock")
    return owner


def _wait_for(path: Path) -> None:
    until = time.monotonic() + START_S
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.01)


def _probe(python: Path, mode: str, where: str) -> float | None:
    """CPU microseconds per request; None where it failed."""
    command = ["taskset", "-c", str(GATEWAY_CORE), str(python), "bench/governance_probe.py", mode, where]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S, env={**os.environ}
    )
    return float(json.loads(done.stdout)["cpu_us"]) if done.returncode == 0 else None
