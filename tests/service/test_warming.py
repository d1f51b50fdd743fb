"""Connections to TLS upstreams that stand before the first request."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from penstock.bootstrap.warming import CONNECTIONS, origins_of
from penstock.compile.plan import compile_plan
from penstock.config.load import load_text
from penstock.core.price_book import PriceBook
from tests.service.service import Service, free_port, until
from tests.transport.certificates import Authority

TREE = """
version: 1
providers:
  a: {kind: openai, base_url: "https://a.test/v1"}
  b: {kind: openai, base_url: "https://b.test/v1"}
  c: {kind: openai, base_url: "https://c.test/v1"}
  d: {kind: openai, base_url: "https://d.test/v1"}
  plain: {kind: openai, base_url: "http://plain.test/v1"}
  sim: {kind: simulator}
deployments:
  named: {provider: c, model: m}
routes:
  deep: {policy: {fallback: [{weighted: [{use: a/m, weight: 1}, {use: b/m, weight: 1}]}, plain/m, sim/echo]}}
  again: {policy: {fallback: [a/other, {static: "Sorry."}]}}
"""
CONFIG = """
version: 1
server: {{ca_file: "{ca}"}}
providers:
  first: {{kind: openai, base_url: "https://localhost:{first}/v1"}}
  second: {{kind: openai, base_url: "https://localhost:{second}/v1"}}
  nobody: {{kind: openai, base_url: "https://localhost:{nobody}/v1"}}
routes:
  chat: {{policy: {{fallback: [nobody/m, {target}/m]}}}}
keys:
  - {{name: dev, secret: sk-warm}}
"""


class Answering(BaseHTTPRequestHandler):
    """A model server that says one word."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer anything."""
        self.rfile.read(int(self.headers["content-length"]))
        choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
        body = json.dumps({"id": "c", "object": "chat.completion", "model": "m", "choices": [choice]}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is inherited
        """Say nothing."""


class Upstream(ThreadingHTTPServer):
    """Counts the connections whose handshake is done."""

    daemon_threads = True

    def __init__(self, authority: Authority) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.socket = authority.server("localhost").wrap_socket(self.socket, server_side=True)
        self.accepted = 0

    def get_request(self) -> tuple[Any, Any]:
        """One more."""
        pair = super().get_request()
        self.accepted += 1
        return pair


@contextmanager
def upstream(authority: Authority) -> Generator[Upstream]:
    """A running one."""
    with Upstream(authority) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(service: Service) -> int:
    """One request's status."""
    connection = service.connect()
    body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "Hello"}]})
    headers = {"Authorization": "Bearer sk-warm", "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", body, headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status


def test_tls_upstreams_that_routes_and_deployments_lead_to_are_warmed() -> None:
    """Through the whole tree, each once; not plain ones, not the simulator, not a provider that nobody uses."""
    plan = compile_plan(
        load_text(TREE, {}),
        revision="1",
        prices=PriceBook("none", {}),
        reveal=lambda secret: secret.resolve({}),
        urls={"simulator": "http://127.0.0.1:1/v1"},
        now_ms=0,
    )
    assert sorted(origin.host for origin in origins_of(plan)) == ["a.test", "b.test", "c.test"]


def test_connections_stand_at_the_start_and_after_a_reload(tmp_path: Path) -> None:
    """The first request opens none, a reload's upstream is warmed too, and one that is down harms nobody."""
    authority = Authority()
    with ExitStack() as stack:
        first, second = (stack.enter_context(upstream(authority)) for _ in range(2))
        ports = {"first": first.server_port, "second": second.server_port, "nobody": free_port()}
        ca = authority.file(tmp_path)
        config = CONFIG.format(ca=ca, target="first", **ports)
        service = stack.enter_context(Service(tmp_path, config))
        until(lambda: first.accepted == CONNECTIONS)
        assert ask(service) == 200
        assert (first.accepted, second.accepted) == (CONNECTIONS, 0)
        service.config.write_text(CONFIG.format(ca=ca, target="second", **ports))
        until(lambda: second.accepted == CONNECTIONS)
        assert ask(service) == 200
        assert (first.accepted, second.accepted) == (CONNECTIONS, CONNECTIONS)
        assert "rror" not in service.output.read_text()
