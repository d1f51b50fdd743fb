"""Portkey's open-source gateway: default mode with its request log, provider chosen by headers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from bench import payload
from bench.process import free_port, spawn
from bench.stage import GATEWAY_CORE, Running, Stage, wait_for_answer

HERE = Path(__file__).resolve().parent.parent / "portkey"
PACKAGE = HERE / "node_modules" / "@portkey-ai" / "gateway"


class Portkey:
    """It has no keys of its own: the client's Authorization goes through to the provider."""

    name = "portkey"
    max_rate = 500
    idle_streams = 2_000
    start_runs = 5

    def missing(self) -> str | None:
        """Installed by bench.install."""
        if shutil.which("node") is None:
            return "node is not installed"
        return None if PACKAGE.exists() else "its package could not be installed"

    def version(self) -> str:
        """As installed."""
        return str(json.loads((PACKAGE / "package.json").read_text())["version"])

    def start(self, stage: Stage, *, pinned: bool = True) -> Running:
        """One node process on the gateway's core."""
        port = free_port()
        process = spawn(
            self.name,
            ["node", str(PACKAGE / "build" / "start-server.js"), f"--port={port}"],
            stage.folder / f"portkey-{port}.log",
            core=GATEWAY_CORE if pinned else None,
            env={"NODE_EXTRA_CA_CERTS": str(stage.certificate.ca)},
            cwd=HERE,
        )
        headers = {
            "authorization": f"Bearer {payload.KEY}",
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": stage.base_url,
        }
        wait_for_answer(process, port, headers, limit_s=20, streaming=stage.streaming)
        return Running(self.name, port, process, process.tree(), headers)
