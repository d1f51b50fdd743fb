"""A whole gateway in a thread: the real server, pipeline and client, with a journal in memory.

with GatewayThread(yaml_text, urls={"simulator": simulator.url + "/v1"}) as gateway:
    requests.post(gateway.url + "/v1/chat/completions", ...)
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self, TypeVar

import uvloop

from penstock.adapters.clock import LoopClock
from penstock.adapters.http.client import HttpClient
from penstock.adapters.memory.owned import MemoryOwned
from penstock.adapters.secrets.aesgcm import AesGcmBox
from penstock.admission.accounts import Accounts
from penstock.compile.plan import compile_plan
from penstock.compile.targets import no_proxy
from penstock.config.load import load_text
from penstock.core.exchange import Event, ExchangeSettled
from penstock.core.plan import Plan
from penstock.core.price_book import PriceBook
from penstock.pipeline.browsers import fronted
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.gateway import Gateway
from penstock.ports.owned import OwnedIds
from penstock.server.limits import ServerLimits
from penstock.server.listener import HttpServer
from penstock.testing.journal import MemoryJournal
from penstock.upstream.tasks import TaskRules

_Result = TypeVar("_Result")
_SWEEP_S = 0.02


class GatewayThread:
    """Serves until the block ends. Every method may be called from any thread.

    `tasks`: how often vendors' tasks are looked at, and whether results may be fetched from this machine.
    `proxy` names what leads to (scheme, host), so that a vendor's own address can be played.
    """

    def __init__(
        self,
        config: str,
        *,
        urls: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        limits: ServerLimits | None = None,
        seed: int = 0,
        prices: PriceBook | None = None,
        tls: ssl.SSLContext | None = None,
        owned: OwnedIds | None = None,
        tasks: TaskRules | None = None,
        proxy: Callable[[str, str], str] | None = None,
    ) -> None:
        self._proxy = proxy or no_proxy
        self._config = config
        self._urls = dict(urls or {})
        self._env = dict(env if env is not None else os.environ)
        self._limits = limits
        self._random = random.Random(seed)
        self._tls = tls
        self._owned = owned
        self._tasks = tasks
        self._prices = prices or PriceBook("none", {})
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gateway", daemon=True)
        self._sock = socket.create_server(("127.0.0.1", 0))
        self._sock.setblocking(False)  # noqa: FBT003 - the name says it
        self.port: int = self._sock.getsockname()[1]
        self.url = f"http{'s' if tls is not None else ''}://127.0.0.1:{self.port}"
        self.errors: list[BaseException] = []

    def _plan(self, config: str) -> Plan:
        return compile_plan(
            load_text(config, self._env),
            revision="test",
            prices=self._prices,
            reveal=lambda secret: secret.resolve(self._env),
            urls=self._urls,
            now_ms=time.time_ns() // 1_000_000,
            proxy=self._proxy,
        )

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_error)
        clock = LoopClock(loop)
        self.journal = MemoryJournal(clock)
        self.transport = HttpClient(clock)
        self.context = GatewayContext(
            self._plan(self._config),
            clock=clock,
            journal=self.journal,
            transport=self.transport,
            accounts=Accounts(clock.call_soon, call_later=clock.call_later),
            owned=self._owned or MemoryOwned(clock),
            draw=self._random.random,
            bits=self._random.getrandbits,
            box=AesGcmBox(self._random.randbytes(32)),
            tasks=self._tasks,
        )
        origins = load_text(self._config, self._env).server.cors.origins
        self.server = HttpServer(fronted(Gateway(self.context), origins), clock, self._limits)
        await self.server.listen(self._sock, self._tls)
        self._sweep(clock)

    def _on_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        self.errors.append(error if isinstance(error, BaseException) else RuntimeError(str(context)))
        loop.default_exception_handler(context)

    def _sweep(self, clock: LoopClock) -> None:
        now = clock.monotonic()
        self.context.sweep(now)
        self.transport.sweep(now)
        clock.call_later(_SWEEP_S, lambda: self._sweep(clock))

    def call(self, function: Callable[[], _Result]) -> _Result:
        """Run `function` in the gateway's loop and return its result."""

        async def run() -> _Result:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(30)

    def reload(self, config: str) -> None:
        """Swap the Plan for that of another configuration."""
        plan = self._plan(config)
        self.call(lambda: self.context.swap(plan))

    def events(self) -> list[Event]:
        """What the journal holds."""
        return self.call(lambda: list(self.journal.events))

    def exchanges(self, count: int = 1, timeout_s: float = 10.0) -> list[ExchangeSettled]:
        """The settled exchanges, once there are `count` of them. Raises TimeoutError."""
        deadline = time.monotonic() + timeout_s
        while len(found := self.call(lambda: list(self.journal.exchanges))) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(found)} of {count} exchanges were settled")
            time.sleep(0.005)
        return found

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; raises the first error that no caller saw."""

        async def stop() -> None:
            await self.server.drain(1.0)
            await self.transport.close()

        asyncio.run_coroutine_threadsafe(stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        if error is None and self.errors:
            raise self.errors[0]
