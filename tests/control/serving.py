"""The admin API on a loopback port, for programs that do not speak to Unix sockets."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

import uvicorn

from penstock.control.api.app import make_app
from penstock.control.api.auth import OperatorToken
from tests.control.house import OPERATOR, House


class Served:
    """Serves a house until the block ends."""

    def __init__(self, house: House) -> None:
        app = make_app(house.plane, [OperatorToken(OPERATOR)])
        self._server = uvicorn.Server(
            uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False)
        )
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        """Start, and wait until it listens."""
        self._thread.start()
        deadline = time.monotonic() + 30
        while not self._server.started:
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(30)
