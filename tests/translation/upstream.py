"""An upstream that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass
class Asked:
    """One request that arrived."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Answer:
    """What goes back; a JSON value, or bytes as they are."""

    value: Any = None
    status: int = 200
    content_type: str = "application/json"
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def body(self) -> bytes:
        """The bytes."""
        return self.raw if self.raw is not None else json.dumps(self.value).encode()


def sse(*events: Any, names: bool = False, done: bool = False) -> Answer:
    """A stream of events; `names` writes each one's `type` as the event's name."""
    lines = [(f"event: {e['type']}\n" if names else "") + f"data: {json.dumps(e)}\n\n" for e in events]
    if done:
        lines.append("data: [DONE]\n\n")
    return Answer(content_type="text/event-stream", raw="".join(lines).encode())


class CannedUpstream:
    """Serves until the block ends; `answer` may be swapped between requests."""

    def __init__(self, answer: Answer | Callable[[Asked], Answer] | None = None) -> None:
        self.asked: list[Asked] = []
        self.answer: Answer | Callable[[Asked], Answer] = answer or Answer({})
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                """Remember, and answer."""
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                asked = Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body))
                outer.asked.append(asked)
                answer = outer.answer if isinstance(outer.answer, Answer) else outer.answer(asked)
                data = answer.body()
                self.send_response(answer.status)
                self.send_header("content-type", answer.content_type)
                self.send_header("content-length", str(len(data)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
