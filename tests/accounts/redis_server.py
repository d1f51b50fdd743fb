"""A real Redis (or Valkey) server for tests, on a port of its own."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_START_S = 20.0
_TRIES = 3


class RedisServer:
    """Runs until the block ends; what it has stays over `stop` and `start` only if it was `saved`."""

    def __init__(self, program: Path, folder: Path, *options: str, tls: bool = False) -> None:
        self.port = self.tls_port = 0
        self._tls = tls
        self.folder = folder
        self._program = program
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._log = (folder / "redis.log").open("ab")

    @property
    def url(self) -> str:
        """What `server.redis_url` is to say."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, on the same port as before."""
        for _ in range(_TRIES):
            if self._starts():
                return
            self.port = 0
        raise RuntimeError(f"redis did not start: {(self.folder / 'redis.log').read_text()[-2000:]}")

    def _starts(self) -> bool:
        if not self.port:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
        fixed = ("--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(self.folder))
        if self._tls and not self.tls_port:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.tls_port = free.getsockname()[1]
        tls = ("--tls-port", str(self.tls_port)) if self._tls else ()
        command = [str(self._program), *fixed, *tls, *self._options]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        deadline = time.monotonic() + _START_S
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                if b"PONG" in self.say("PING") or b"NOAUTH" in self.say("PING"):
                    return True
            except OSError:
                pass
            time.sleep(0.01)
        return False

    def say(self, line: str) -> bytes:
        """Send one command and return the beginning of its answer."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as line_out:
            line_out.sendall(line.encode() + b"\r\n")
            return line_out.recv(65536)

    def stop(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._log.close()
