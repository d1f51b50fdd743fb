"""A scripted vendor that takes every method and any body, and a gateway in front of it."""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from penstock.testing.gateway import GatewayThread
from penstock.upstream.tasks import TaskRules

# Looks follow each other at once, and results come from this machine.
RULES = TaskRules(first_s=0.001, growth=1.0, longest_s=0.001, patience=2, stop_s=20, loopback=True)
KEY = "vendor-secret-0123456789"
_CONFIG = """
version: 1
defaults: {{on_unsupported: {policy}}}
providers:
  up: {{kind: {kind}, base_url: "{url}/base", api_key: {key}}}
deployments:
  priced: {{provider: up, model: "{model}", price: {price}}}
keys:
  - {{name: dev, secret: sk-test, org: acme, direct: true}}
  - {{name: other, secret: sk-other, org: acme, direct: true}}
"""


@dataclass
class Asked:
    """One request that arrived."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes

    def json(self) -> Any:
        """The body."""
        return json.loads(self.raw)


@dataclass
class Answer:
    """What goes back: JSON, or `raw` as it is."""

    value: Any = None
    status: int = 200
    raw: bytes | None = None
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Vendor:
    """Answers by a script: a list that is used up, its last line for ever, or a function of the request."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.script: list[Answer] | Callable[[Asked], Answer] = [Answer({})]
        self.held = threading.Event()
        self.arrived = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = outer.answer(Asked(self.command, self.path, headers, body))
                data = answer.raw if answer.raw is not None else json.dumps(answer.value).encode()
                self.send_response(answer.status)
                self.send_header("content-type", answer.content_type)
                self.send_header("content-length", str(len(data)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815 - the base class looks for these

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def answer(self, asked: Asked) -> Answer:
        """The next line of the script."""
        with self.arrived:
            self.asked.append(asked)
            self.arrived.notify_all()
            if not callable(self.script):
                return self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return self.script(asked)

    def wait_for(self, method: str, end: str) -> Asked:
        """The request with this method and end of its path, once it has arrived."""

        def found() -> list[Asked]:
            return [each for each in self.asked if each.method == method and each.path.endswith(end)]

        with self.arrived:
            assert self.arrived.wait_for(found, 20), [(each.method, each.path) for each in self.asked]
            return found()[-1]

    def close(self) -> None:
        """Stop."""
        self.held.set()
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Told:
    """An answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    raw: bytes

    def json(self) -> Any:
        """The body."""
        return json.loads(self.raw)

    @property
    def error(self) -> Any:
        """The error object."""
        return self.json()["error"]


@dataclass
class Door:
    """A gateway before a vendor."""

    gateway: GatewayThread
    vendor: Vendor
    kept: list[socket.socket] = field(default_factory=list[socket.socket])

    def ask(self, method: str, path: str, body: bytes | None, kind: str = "", key: str = "sk-test") -> Told:
        """One request."""
        headers = {"Authorization": f"Bearer {key}"} | ({"Content-Type": kind} if kind else {})
        request = urllib.request.Request(self.gateway.url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return Told(response.status, _fields(response.headers), response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Told(error.code, _fields(error.headers), error.read())

    def post(self, path: str, body: Any, key: str = "sk-test") -> Told:
        """JSON."""
        return self.ask("POST", path, json.dumps(body).encode(), "application/json", key)

    def get(self, path: str, key: str = "sk-test") -> Told:
        """A look."""
        return self.ask("GET", path, None, key=key)

    def upload(self, path: str, fields: list[tuple[str, str]], audio: bytes, name: str = "file") -> Told:
        """A form with one file."""
        parts = [
            f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields
        ]
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="a.wav"\r\n'
        head += "Content-Type: audio/wav\r\n\r\n"
        body = b"".join(parts) + head.encode() + audio + b"\r\n--b--\r\n"
        return self.ask("POST", path, body, "multipart/form-data; boundary=b")

    def begin(self, path: str, body: Any) -> socket.socket:
        """A request on a socket of its own, to be hung up on."""
        data = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: g\r\nauthorization: Bearer sk-test\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
        client = socket.create_connection(("127.0.0.1", self.gateway.port), timeout=30)
        client.sendall(head.encode() + data)
        return client


def _fields(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


class Doors:
    """Makes doors, and closes them all."""

    def __init__(self) -> None:
        self._open: list[Door] = []

    def open(
        self,
        kind: str,
        *,
        model: str = "m",
        price: str = "{request: 0.5}",
        policy: str = "map",
        rules: TaskRules = RULES,
    ) -> Door:
        """A gateway in front of a scripted vendor of this kind."""
        vendor = Vendor()
        config = _CONFIG.format(kind=kind, url=vendor.url, key=KEY, model=model, price=price, policy=policy)
        gateway = GatewayThread(config, tasks=rules)
        gateway.__enter__()
        self._open.append(Door(gateway, vendor))
        return self._open[-1]

    def close(self) -> None:
        """End them all."""
        for door in self._open:
            door.gateway.__exit__(None, None, None)
            door.vendor.close()
