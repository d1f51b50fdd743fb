"""A gateway with guards in front of the simulator, and the ways in which clients speak to it."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

from penstock.testing.gateway import GatewayThread
from penstock.testing.simulator import SimulatorThread

KEY = "sk-test-guards"
HEAD = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1"}}
  claude: {{kind: anthropic, base_url: "{url}", api_key: k}}
{more}keys: [{{name: dev, secret: sk-test-guards, org: acme}}]
"""


def gateway(simulator: SimulatorThread, rest: str, more: str = "") -> GatewayThread:
    """A gateway; `rest` is what its configuration says of guards and routes, `more` of providers."""
    return GatewayThread(HEAD.format(url=simulator.url, more=more) + rest)


class Got(NamedTuple):
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Its value."""
        return json.loads(self.body)


def post(url: str, path: str, body: Any) -> Got:
    """Send a request, and read all of the answer."""
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url + path, data, headers), timeout=30) as answer:
            return Got(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Got(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())


def chat(url: str, text: str, *, model: str = "r", stream: bool = False, **more: Any) -> Got:
    """One user's message."""
    messages = [{"role": "user", "content": text}]
    return post(url, "/v1/chat/completions", {"model": model, "stream": stream, "messages": messages, **more})


def content(got: Got) -> str:
    """The text of a chat answer, streamed or not."""
    if not got.body.startswith(b"data:"):
        return str(got.json()["choices"][0]["message"]["content"])
    lines = [json.loads(line[6:]) for line in got.body.split(b"\n") if line.startswith(b"data: {")]
    return "".join([line["choices"][0]["delta"].get("content") or "" for line in lines if line["choices"]])


class Service:
    """Somebody else's guard: answers each post by `answer`, and remembers what it was sent."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self.posts: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.leave = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                service.headers.append({k.lower(): v for k, v in self.headers.items()})
                service.posts.append(body)
                told = answer(body)
                if told is None:  # it says nothing as long as the test lasts
                    service.leave.wait(30)
                    return
                data = told if isinstance(told, bytes) else json.dumps(told).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/check"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave.set()
        self._server.shutdown()
        self._server.server_close()
