"""`python -m bench.stages`: what a request costs in the pipeline, stage by stage, in one process.

A batch of requests goes through each stage together, without sockets, so that each stage is timed as a whole:
CPU time, the least of many rounds, which a busy machine disturbs least. It also counts the objects that only
the garbage collector could free; there should be none. Run it with the Python that has the compiled wheel to
see what ships, and with a checkout's own to see plain Python.
"""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections.abc import Callable

import uvloop

import penstock.pipeline.exchange
from bench import payload
from penstock.adapters.clock import LoopClock
from penstock.adapters.memory.owned import MemoryOwned
from penstock.admission.accounts import Accounts
from penstock.compile.plan import compile_plan
from penstock.config.load import load_text
from penstock.core.exchange import Entry
from penstock.core.origin import Origin
from penstock.core.price_book import PriceBook
from penstock.pipeline.context import GatewayContext
from penstock.pipeline.gateway import Gateway
from penstock.ports.http_server import HttpRequest, ReplyListener
from penstock.ports.transport import ResponseHandler

CONFIG = f"""
version: 1
providers: {{up: {{kind: openai, base_url: "http://127.0.0.1:9/v1", api_key: sk-upstream}}}}
deployments:
  primary: {{provider: up, model: gpt-4o-mini, price: {{input: 0.15, output: 0.6, cache_read: 0.075}}}}
  second: {{provider: up, model: gpt-4o-mini, price: {{input: 0.15, output: 0.6}}}}
routes: {{{payload.MODEL}: {{policy: {{fallback: [primary, second]}}}}}}
orgs: {{acme: {{}}}}
keys:
  - {{name: bench, secret: {payload.KEY}, org: acme, routes: [{payload.MODEL}],
     limits: {{rpm: 50000000, concurrency: 20000}}, budget: {{usd: 1000000, window: month}}}}
"""
BATCH = 64
ROUNDS = 300
Stage = Callable[[], None]


class Call:
    """An upstream's answer that is never given up."""

    def cancel(self) -> None:
        """Not done here."""

    def pause(self) -> None:
        """Not done here."""

    def resume(self) -> None:
        """Not done here."""


class Told:
    """Transport and journal: both keep what they were told for the next stage."""

    def __init__(self) -> None:
        self.handlers: list[ResponseHandler] = []
        self.then: list[Callable[[], None]] = []
        self._call = Call()

    def send(self, origin: Origin, request: bytes, handler: ResponseHandler, connect_s: float) -> Call:
        """See ports.transport."""
        del origin, request, connect_s
        self.handlers.append(handler)
        return self._call

    def append(
        self,
        event: Entry,
        then: Callable[[], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """See ports.journal."""
        del event, failed
        if then is not None:
            self.then.append(then)

    def written(self) -> None:
        """Run what waits for the journal."""
        then, self.then = self.then, []
        for call in then:
            call()


class Client:
    """A reply that must be an answer."""

    def __init__(self) -> None:
        self.listener: ReplyListener | None = None
        self.bytes_out = 0

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        """See ports.http_server."""
        del headers
        if status != 200:
            raise RuntimeError(body.decode())
        self.listener = None

    def start(self, status: int, headers: bytes, length: int | None = None) -> None:
        """Nothing is streamed here."""
        raise RuntimeError((status, headers, length))

    def write(self, data: bytes) -> None:
        """Nothing is streamed here."""
        raise RuntimeError(data)

    def end(self, data: bytes = b"") -> None:
        """Nothing is streamed here."""
        raise RuntimeError(data)

    def abort(self) -> None:
        """Nothing breaks here."""
        raise RuntimeError


class Bench:
    """One gateway, and the stages that a batch of requests goes through, in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        clock = self._clock = LoopClock(loop)
        plan = compile_plan(
            load_text(CONFIG, {}),
            revision="",
            prices=PriceBook("none", {}),
            reveal=lambda secret: secret.resolve({}),
            urls={},
            now_ms=clock.now_ms(),
        )
        self._told = told = Told()
        self._gateway = Gateway(
            GatewayContext(
                plan,
                clock=clock,
                journal=told,
                transport=told,
                accounts=Accounts(clock.call_soon, call_later=clock.call_later),
                owned=MemoryOwned(clock),
                draw=random.random,
                bits=random.getrandbits,
            )
        )
        self._body, self._answer = payload.request_body(), payload.answer_body()
        self.stages: dict[str, Stage] = {
            "admission, policy, reservation": self._ask,
            "upstream's head and body": self._told.written,
            "answer, usage, settlement": self._answered,
            "the client's head": self._told.written,
        }

    def _ask(self) -> None:
        headers = {
            b"host": b"127.0.0.1",
            b"authorization": b"Bearer " + payload.KEY.encode(),
            b"content-type": b"application/json",
        }
        for _ in range(BATCH):
            now = self._clock.monotonic()
            path = "/v1/chat/completions"
            self._gateway.handle(HttpRequest(b"POST", path, b"", headers, self._body, now, ""), Client())

    def _answered(self) -> None:
        handlers, self._told.handlers = self._told.handlers, []
        for handler in handlers:
            handler.on_connected(reused=True)
            handler.on_head(200, {b"content-type": b"application/json", b"content-length": b"1400"})
            handler.on_data(self._answer)
            handler.on_end()

    def once(self) -> list[float]:
        """CPU seconds of each stage for one batch."""
        spent: list[float] = []
        for stage in self.stages.values():
            begun = time.process_time()
            stage()
            spent.append(time.process_time() - begun)
        return spent


async def run() -> None:
    """Measure, and print the table."""
    bench = Bench(asyncio.get_running_loop())
    for _ in range(50):
        bench.once()
    gc.collect()
    gc.disable()
    bench.once()
    left = gc.collect()
    rounds = [bench.once() for _ in range(ROUNDS)]
    compiled = not (penstock.pipeline.exchange.__file__ or "").endswith(".py")
    print(f"pipeline in one process, {'compiled' if compiled else 'plain Python'}; CPU per request:")
    total = 0.0
    for at, name in enumerate(bench.stages):
        least = min(spent[at] for spent in rounds) / BATCH * 1e6
        total += least
        print(f"  {name:<32} {least:6.1f} us")
    print(f"  {'all':<32} {total:6.1f} us")
    print(f"objects left to the garbage collector by {BATCH} requests: {left}")


if __name__ == "__main__":
    uvloop.run(run())
