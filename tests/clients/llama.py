"""A llama.cpp server with a tiny model of random weights: nonsense words, real protocol."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.clients.plain import send

KEY = "sk-test-upstream"
MODEL = "tiny-random"
CONTEXT = 8192
# Token numbers of scripts/tiny_gguf.py: <tool_call> opens a call, <|im_end|> ends the answer.
CALL, END = 261, 260
CALLS_A_TOOL = {str(CALL): 14, str(END): 14}
_TRIES = 3
_START_S = 60.0


class LlamaServer:
    """Runs until the block ends; one slot, so that equal requests find equal circumstances."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server
        self.port = 0

    @property
    def url(self) -> str:
        """Its base URL without a path."""
        return f"http://127.0.0.1:{self.port}"

    def _start(self) -> bool:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        options = f"--host 127.0.0.1 --port {self.port} --offline --no-ui --alias {MODEL} -t 1 -tb 1 -np 1"
        options += f" -c {CONTEXT} --embeddings --pooling mean --api-key {KEY} -l {END}+3"
        command = [str(self._folder / "llama-server"), "-m", str(self._folder / "tiny.gguf"), *options.split()]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log)
        deadline = time.monotonic() + _START_S
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                if send(f"{self.url}/health", b"", KEY, method="GET").status == 200:
                    return True
            except OSError:
                pass
            time.sleep(0.02)
        return False

    def __enter__(self) -> Self:
        """Start it; another port is tried where somebody took the first one meanwhile."""
        if not any(self._start() for _ in range(_TRIES)):
            self._log.seek(0)
            raise RuntimeError(f"the model server did not start: {self._log.read()[-2000:]!r}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._log.close()
