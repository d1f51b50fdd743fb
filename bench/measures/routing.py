"""What one decision of each policy node costs among 20 targets."""

from __future__ import annotations

import json
import os
import subprocess

from bench.contenders.penstock import HOME, Penstock
from bench.install import ROOT
from bench.run import Run
from bench.stage import GATEWAY_CORE

MEASURE = "routing"
LIMIT_S = 120


def routing(run: Run) -> None:
    """`bench/routing_probe.py` in the environment that is measured, its hot path compiled."""
    python = HOME / "bin" / "python"
    if not any(contender.name == Penstock.name for contender in run.contenders) or not python.exists():
        return
    command = ["taskset", "-c", str(GATEWAY_CORE), str(python), "bench/routing_probe.py"]
    for _ in range(run.settings.rounds):
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S, env={**os.environ}
        )
        if done.returncode:
            run.records.note(MEASURE, Penstock.name, "its probe failed")
            return
        found: dict[str, float] = json.loads(done.stdout)
        run.records.add(MEASURE, Penstock.name, **found, dearest=max(found.values()))
