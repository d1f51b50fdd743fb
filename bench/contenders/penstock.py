"""Penstock as it ships, with everything on: auth, limits, budget, route with fallback, journal, worker."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from importlib import metadata

from bench import payload
from bench.install import ENVIRONMENTS
from bench.process import Process, command_line, descendants, free_port, pin, spawn
from bench.stage import GATEWAY_CORE, OTHER_CORE, BenchError, Running, Stage, wait_for_answer

ROLE = "penstock.bootstrap.gateway"
START_S = 30.0
CONFIG = """
version: 1
server: {{listen: "127.0.0.1:{port}", state_dir: "{folder}/state", workers: {workers}}}
providers: {{up: {{kind: openai, base_url: "{base_url}", api_key: sk-upstream}}}}
deployments:
  primary: {{provider: up, model: gpt-4o-mini, price: {{input: 0.15, output: 0.6, cache_read: 0.075}}}}
  second: {{provider: up, model: gpt-4o-mini, price: {{input: 0.15, output: 0.6}}}}
routes:
  {model}:
    policy: {{fallback: [primary, second]}}
    timeouts: {{connect_s: 60, first_event_s: 600, idle_s: 600, total_s: 3600}}
keys:
  - {{name: bench, secret: {key}, org: acme, team: research, routes: [{model}],
     limits: {{rpm: 5000000, concurrency: 20000}}, budget: {{usd: 1000000, window: month}}}}
"""


HOME = ENVIRONMENTS / "penstock"


class Penstock:
    """`penstock serve` with a configuration file; its gateway process is what is measured."""

    name = "penstock"
    max_rate = 500
    idle_streams = 10_000
    start_runs = 5

    def __init__(self, workers: int = 1, command: Sequence[str] = (str(HOME / "bin" / "penstock"),)) -> None:
        """`command` is what is measured; by default the wheel, with its hot path compiled."""
        self._workers = workers
        self._command = command

    def missing(self) -> str | None:
        """Whether its wheel could be built and installed."""
        return None if (HOME / "bin" / "penstock").exists() else "its wheel could not be built; see above"

    def version(self) -> str:
        """Version and commit."""
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
        )
        compiled = any((HOME / "lib").rglob("penstock/pipeline/*.so"))
        how = "hot path compiled by mypyc" if compiled else "pure Python"
        return f"{metadata.version('penstock')} ({described.stdout.strip() or 'no git'}, {how})"

    def start(self, stage: Stage, *, pinned: bool = True) -> Running:
        """Supervisor, worker and control run on the other core, the gateway on its own."""
        port = free_port()
        folder = stage.folder / f"penstock-{port}"
        folder.mkdir()
        config = folder / "penstock.yaml"
        config.write_text(
            CONFIG.format(
                port=port,
                folder=folder,
                base_url=stage.base_url,
                workers=self._workers,
                model=payload.MODEL,
                key=payload.KEY,
            )
        )
        process = spawn(
            self.name,
            [*self._command, "serve", "-c", str(config)],
            folder / "log",
            core=OTHER_CORE if pinned else None,
            env={"SSL_CERT_FILE": str(stage.certificate.ca)},
            cwd=folder,
        )
        headers = {"authorization": f"Bearer {payload.KEY}"}
        wait_for_answer(process, port, headers, limit_s=START_S, streaming=stage.streaming)
        gateways = self._gateways(process)
        if pinned:
            for number, pid in enumerate(gateways):
                pin(pid, GATEWAY_CORE if number % 2 == 0 else OTHER_CORE)
        helpers = [pid for pid in process.tree() if pid not in gateways]
        return Running(self.name, port, process, gateways, headers, helpers)

    def _gateways(self, process: Process) -> list[int]:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            found = [pid for pid in descendants(process.pid) if ROLE in command_line(pid)]
            if len(found) >= self._workers:
                return found
            time.sleep(0.01)
        raise BenchError(f"penstock runs fewer than {self._workers} gateway processes")
