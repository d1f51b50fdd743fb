"""The bare relay (bench.relay) as a contender: the yardstick of the same run."""

from __future__ import annotations

import sys
from importlib import metadata

from bench import payload
from bench.process import free_port, spawn
from bench.stage import GATEWAY_CORE, Running, Stage, wait_for_answer


class Relay:
    """Copies bytes, checks nothing."""

    name = "relay"
    max_rate = 500
    idle_streams = 10_000
    start_runs = 5

    def missing(self) -> str | None:
        """Part of this repository."""
        return None

    def version(self) -> str:
        """The libraries that it consists of."""
        return f"uvloop {metadata.version('uvloop')}, httptools {metadata.version('httptools')}"

    def start(self, stage: Stage, *, pinned: bool = True) -> Running:
        """One process; HTTPS upstream where the stage says so."""
        port = free_port()
        command = [sys.executable, "-m", "bench.relay", "--listen", str(port)]
        command += ["--upstream", str(stage.upstream_port)]
        if stage.scheme == "https":
            command += ["--ca", str(stage.certificate.ca)]
        log = stage.folder / f"relay-{port}.log"
        process = spawn(self.name, command, log, core=GATEWAY_CORE if pinned else None)
        headers = {"authorization": f"Bearer {payload.KEY}"}
        wait_for_answer(process, port, headers, limit_s=10, streaming=stage.streaming)
        return Running(self.name, port, process, [process.pid], headers)
