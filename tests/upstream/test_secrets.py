"""What an upstream says reaches the client, without our credential and without anything that looks like one."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.testing.gateway import GatewayThread
from tests.upstream.asking import KEY, ask

SECRET = "the-gateways-own-secret"
CONFIG = """
version: 1
providers:
  echo:
    kind: openai
    base_url: "http://127.0.0.1:{port}/v1"
    api_key: {secret}
    headers: {{x-account: acct-17}}
keys:
  - {{name: dev, secret: {key}, direct: true}}
"""


class Teller(http.server.BaseHTTPRequestHandler):
    """Fails with the status that the model names, and tells what it was sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer with everything that should not be told."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, _, shape = str(body["model"]).partition("-")
        words = f"bad {self.headers['authorization']} for {self.headers['x-account']}, or sk-proj-abc123456789"
        error = {"error": {"message": words, "type": "some_error", "code": "some_code"}}
        text = words.encode() if shape == "text" else json.dumps(error).encode()
        self.send_response(int(status))
        self.send_header("content-type", "text/plain" if shape == "text" else "application/json")
        self.send_header("content-length", str(len(text)))
        self.send_header("set-cookie", "session=1")
        self.send_header("openai-organization", "org-17")
        self.send_header("x-ratelimit-remaining-requests", "9")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@pytest.fixture
def gateway() -> Iterator[GatewayThread]:
    """A gateway in front of a server that tells everything."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Teller) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        config = CONFIG.format(port=server.server_address[1], secret=SECRET, key=KEY)
        with GatewayThread(config) as running:
            yield running
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "model", ["400", "400-text", "401", "404", "422", "500", "500-text", "200", "200-text", "204"]
)
def test_an_upstreams_words_come_without_secrets(gateway: GatewayThread, model: str) -> None:
    """In the body, passed on or told by us, and in the headers."""
    answer = ask(gateway, f"echo/{model}")
    assert answer.status >= 400
    told = answer.body + repr(answer.headers).encode()
    for secret in (SECRET, "acct-17", "sk-proj-abc123456789", "session=1", "org-17"):
        assert secret.encode() not in told
    if model != "204":
        assert b"bad " in answer.body
        assert b"[redacted]" in answer.body
    written = repr(gateway.events())
    assert SECRET not in written
    assert "sk-proj" not in written
