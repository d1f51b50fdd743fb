"""What limits and budgets cost a request, counted in the process itself and with leases from an owner."""

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

MEASURE = "governance"
LIMIT_S = 120
START_S = 10.0


def governance(run: Run) -> None:
    """`bench.governance_probe` in the environment that is measured; the owner runs on the other core."""
    python = HOME / "bin" / "python"
    if not any(contender.name == Penstock.name for contender in run.contenders) or not python.exists():
        return
    state = run.folder / MEASURE
    for folder in (state, state / "run", state / "journal"):
        folder.mkdir(mode=0o700)
    owner = _owner(python, state)
    try:
        for _ in range(run.settings.rounds):
            found = {mode: _probe(python, mode, state) for mode in ("memory", "leased")}
            if None in found.values():
                run.records.note(MEASURE, Penstock.name, "its probe failed")
                return
            run.records.add(
                MEASURE, Penstock.name, **{f"{mode}_us": value or 0.0 for mode, value in found.items()}
            )
    finally:
        owner.end()


def _owner(python: Path, state: Path) -> Process:
    command = ["env", f"PENSTOCK_STATE_DIR={state}", str(python), "-m", "penstock.bootstrap.accounts"]
    owner = spawn("accounts", command, state / "log", core=OTHER_CORE, cwd=state)
    until = time.monotonic() + START_S
    while not (state / "run" / "accounts.sock").exists() and time.monotonic() < until:
        time.sleep(0.01)
    return owner


def _probe(python: Path, mode: str, state: Path) -> float | None:
    """CPU microseconds per request; None where it failed."""
    command = ["taskset", "-c", str(GATEWAY_CORE), str(python), "bench/governance_probe.py", mode, str(state)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S, env={**os.environ}
    )
    return float(json.loads(done.stdout)["cpu_us"]) if done.returncode == 0 else None
