"""A vendor that remembers what it was asked, for any number of addresses: it is also a proxy to them."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


@dataclass(frozen=True)
class Asked:
    """One request that arrived; `secret` is whatever opened it."""

    method: str
    host: str
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """The body as JSON; None where there is none."""
        return json.loads(self.raw) if self.raw else None

    @property
    def secret(self) -> str:
        """The credential."""
        return self.headers.get("authorization", "").removeprefix("Bearer ") or self.headers.get(
            "x-api-key", ""
        )


class Vendor:
    """Serves until the block ends, in the shapes of OpenAI and Anthropic; `models` are what it lists."""

    def __init__(self, models: tuple[str, ...] = ("gpt-5",)) -> None:
        self.asked: list[Asked] = []
        self.models = models
        self.fails_with: bytes = b""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                """See `_answer`."""
                self._answer()

            def do_POST(self) -> None:
                """See `_answer`."""
                self._answer()

            def do_DELETE(self) -> None:
                """See `_answer`."""
                self._answer()

            def _answer(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                parts = urlsplit(self.path)
                asked = Asked(self.command, parts.hostname or "", parts.path, headers, raw)
                outer.asked.append(asked)
                status, kind, data = outer.answer(asked)
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, asked: Asked) -> tuple[int, str, bytes]:
        """Status, content type and body for one request."""
        if self.fails_with:
            error = {"error": {"message": f"no such key {asked.secret} {self.fails_with.decode()}"}}
            return 401, "application/json", json.dumps(error).encode()
        value = self._value(asked)
        if asked.body is not None and asked.body.get("stream"):
            return 200, "text/event-stream", _stream(value)
        return 200, "application/json", json.dumps(value).encode()

    def _value(self, asked: Asked) -> dict[str, Any]:
        if asked.path.endswith("/models"):
            return {"data": [{"id": name} for name in self.models]}
        if asked.path.endswith("/messages"):
            text = [{"type": "text", "text": "hello"}]
            usage = {"input_tokens": 7, "output_tokens": 3}
            said = {"type": "message", "role": "assistant", "stop_reason": "end_turn", "stop_sequence": None}
            return {"id": "msg_1", "model": "claude", "content": text, "usage": usage, **said}
        if asked.path.endswith("/count_tokens"):
            return {"input_tokens": 4242}
        if asked.path.endswith("/embeddings"):
            vector = {"object": "embedding", "index": 0, "embedding": [0.5]}
            return {"object": "list", "data": [vector], "model": "e", "usage": USAGE}
        if "/responses" in asked.path:
            store = asked.body.get("store", True) if asked.body else True
            usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
            name = f"resp_{len(self.asked)}"
            said: dict[str, Any] = {"object": "response", "status": "completed", "output": [], "model": "gpt-5"}
            return {"id": name, "store": store, "usage": usage, **said}
        choice = {"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}
        return {"id": "c", "object": "chat.completion", "model": "gpt-5", "choices": [choice], "usage": USAGE}

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _stream(value: dict[str, Any]) -> bytes:
    delta = {"index": 0, "delta": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}
    chunk = {"id": "c", "object": "chat.completion.chunk", "model": value["model"], "choices": [delta]}
    usage = {**chunk, "choices": [], "usage": USAGE}
    return b"".join(
        b"data: %b\n\n" % text for text in (json.dumps(chunk).encode(), json.dumps(usage).encode(), b"[DONE]")
    )
