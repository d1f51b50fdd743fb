"""What an exchange was made of is free as soon as it is over: none of it waits for the garbage collector.

A cycle through an exchange costs more than its collection: memory that is not used again at once is cold.
"""

from __future__ import annotations

import contextlib
import gc
import http.client
import socket
from collections.abc import Generator, Iterator
from typing import cast

import pytest

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread
from tests.clients.plain import send
from tests.service.service import until

KEY = "sk-test-gateway"
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
deployments:
  good: {{provider: up, model: echo, price: {{input: 1, output: 2}}}}
  other: {{provider: up, model: tokens-10, price: {{input: 1, output: 2}}}}
  slow: {{provider: up, model: slow-100ms, price: {{input: 1, output: 2}}}}
  broken: {{provider: up, model: garbage, price: {{input: 1, output: 2}}}}
  endless: {{provider: up, model: tokens-2000+itl-50ms, price: {{input: 1, output: 2}}}}
  breaks: {{provider: up, model: error-after-2, price: {{input: 1, output: 2}}}}
routes:
  chat: {{policy: {{fallback: [good, other]}}}}
  spread: {{policy: {{weighted: [{{use: good, weight: 1}}, {{use: other, weight: 1}}]}}}}
  second: {{policy: {{fallback: [broken, good]}}}}
  none: {{policy: {{fallback: [broken]}}}}
  cut: {{policy: {{fallback: [breaks]}}}}
  resumed: {{policy: {{fallback: [breaks, good]}}, on_break: resume}}
  race: {{policy: {{hedge: {{of: [slow, good], after: 0.02}}}}}}
  exact: {{policy: {{cascade: [{{use: good, accept: {{regex: "^yes"}}}}, other]}}}}
  long: {{policy: {{fallback: [endless]}}}}
  fixed: {{policy: {{static: "closed"}}}}
defaults:
  session: {{requests: 100, depth: 5}}
keys:
  - {{name: dev, secret: sk-test-gateway, org: acme, limits: {{rpm: 1000, concurrency: 10}},
     budget: {{usd: 100, window: month}}}}
"""
# Their simulated upstream runs in this process, too.
_NOT_THEIRS = ("penstock.simulator", "penstock.testing")


@contextlib.contextmanager
def uncollected() -> Generator[list[str]]:
    """The types of the gateway's objects that only the collector could free, once the block has ended."""
    found: list[str] = []
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        types = [cast("type[object]", type(each)) for each in gc.garbage]
        found += [
            f"{each.__module__}.{each.__qualname__}"
            for each in types
            if each.__module__.startswith("penstock.") and not each.__module__.startswith(_NOT_THEIRS)
        ]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
        gc.collect()


@pytest.fixture(scope="module")
def running() -> Iterator[GatewayThread]:
    """One gateway for all of them."""
    with SimulatorThread() as simulator, GatewayThread(CONFIG.format(url=simulator.url)) as gateway:
        gc.collect()
        gc.freeze()  # what is there by now need not be looked through each time
        yield gateway
        gc.unfreeze()


def ask(gateway: GatewayThread, path: str, route: str, *, stream: bool) -> None:
    """One request of a session. A stream may be cut off; how the client takes that does not matter here."""
    body = {
        "model": route,
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 50,
        "stream": stream,
    }
    with contextlib.suppress(OSError, http.client.HTTPException):
        send(gateway.url + path, body, KEY, headers={"x-penstock-tags": f"session={route}{path}{stream}"})


def over(gateway: GatewayThread) -> bool:
    """Whether all that was asked is answered, and all who asked are gone."""
    return not gateway.context.exchanges and not gateway.server.connections


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize(
    "route", ["chat", "spread", "second", "none", "cut", "resumed", "race", "exact", "fixed", "unknown"]
)
def test_an_exchange_leaves_nothing_to_the_collector(
    running: GatewayThread, route: str, path: str, *, stream: bool
) -> None:
    """Whatever its policy did, and however it ended, no object of an exchange is part of a cycle."""
    ask(running, path, route, stream=stream)
    until(lambda: over(running))
    with uncollected() as found:
        ask(running, path, route, stream=stream)
        ask(running, path, route, stream=stream)
        until(lambda: over(running))
    assert found == []


def test_a_client_that_hangs_up_leaves_nothing(running: GatewayThread) -> None:
    """A stream whose client went away in the middle is free at once, too."""
    with uncollected() as found:
        body = b'{"model":"long","messages":[{"role":"user","content":"Hello"}],"stream":true}'
        lines = (f"POST {CHAT} HTTP/1.1", "host: x", f"authorization: Bearer {KEY}")
        head = "\r\n".join([*lines, f"content-length: {len(body)}"])
        with socket.create_connection(("127.0.0.1", running.port)) as sock:
            sock.sendall(head.encode() + b"\r\n\r\n" + body)
            assert sock.recv(512).startswith(b"HTTP/1.1 200")
        until(lambda: over(running))
    assert found == []
