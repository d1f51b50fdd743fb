"""`penstock serve` as operators start it: one role or all, each machine with its own file and state."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.service.service import children, until


class Served:
    """One `penstock serve` until the block ends."""

    def __init__(
        self,
        config: Path,
        state: Path,
        role: str = "",
        *,
        listen: int = 0,
        env: dict[str, str] | None = None,
        program: Path | None = None,
    ) -> None:
        """`listen` is a port of this machine; 0 leaves the address to the file. `program` is another script."""
        self.state = state
        self.config = config
        self.port = listen
        self._output = config.parent / f"{state.name}-{role or 'all'}.log"
        self._command = [str(program)] if program is not None else [sys.executable, "-m", "penstock.cli"]
        self._command += ["serve", "-c", str(config)]
        self._command += ["--state-dir", str(state)]
        self._command += ["--role", role] if role else []
        self._command += ["--listen", f"127.0.0.1:{listen}"] if listen else []
        self._env = {**os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it in order."""
        self.stop()

    def start(self) -> None:
        """Start it, without waiting for anything."""
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=output, env=self._env)

    def stop(self) -> None:
        """SIGTERM, and wait."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(60)

    @property
    def said(self) -> str:
        """What it printed since its start."""
        return self._output.read_text()

    @property
    def pid(self) -> int:
        """The pid of the supervisor."""
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.pid

    def wait_said(self, text: str) -> None:
        """Until it printed this. Raises TimeoutError with what it printed instead."""
        try:
            until(lambda: text in self.said or self._ended(), 40.0)
        except TimeoutError:
            raise TimeoutError(self.said) from None
        if text not in self.said:
            raise TimeoutError(self.said)

    def _ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def pids(self, role: str) -> list[int]:
        """The pids of its children with this role."""
        return children(self.pid, role)

    def roles(self) -> set[str]:
        """The roles of its children."""
        every = ("worker", "control", "follower", "credentials", "accounts", "gateway")
        return {role for role in every if self.pids(role)}


def penstock(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A command, whatever its status."""
    command = [sys.executable, "-m", "penstock.cli", *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **(env or {})}
    )
