"""A fake of Vault's documented HTTP API: tokens, AppRole, KV version 2, Transit, namespaces, errors.

Written from https://developer.hashicorp.com/vault/api-docs (index, auth/approle, auth/token, secret/kv/kv-v2,
secret/transit); it is not the product.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

Answer = tuple[int, dict[str, Any]]
DENIED: Answer = (403, {"errors": ["permission denied"]})
NOTHING: Answer = (404, {"errors": []})


class FakeVault:
    """Serves until the block ends. `kv` holds the fields of secrets by their API path."""

    def __init__(self, *, namespace: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.kv: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, dict[str, Any]] = {}
        self.roles: dict[str, str] = {}
        self.namespace = namespace
        self.token_lasts_s = 1200
        self.renewable = True
        self.lease_s = 0
        self.sealed = False
        self.wrong = b""
        self.asked: list[str] = []
        self._made = 0
        self._transit: dict[str, bytes] = {}
        vault = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                data = self.rfile.read(int(self.headers.get("content-length", 0)))
                status, answer = vault.answer(self.command, self.path, dict(self.headers.items()), data)
                text = vault.wrong or json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = _answer  # noqa: N815 - the base class's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"http{'s' if tls else ''}://{'localhost' if tls else '127.0.0.1'}:{self.port}"

    def token(self, name: str = "", *, ttl: int = 0, renewable: bool = False) -> str:
        """Make a token."""
        self._made += 1
        made = name or f"hvs.{self._made}"
        self.tokens[made] = {"ttl": ttl, "renewable": renewable}
        return made

    def answer(self, method: str, path: str, headers: dict[str, str], data: bytes) -> Answer:
        """Status and body."""
        self.asked.append(f"{method} {path}")
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if not path.startswith("/v1/") or headers.get("X-Vault-Namespace", "") != self.namespace:
            return NOTHING
        place = path.removeprefix("/v1/")
        body: dict[str, str] = json.loads(data) if data else {}
        if place == "auth/approle/login" and method == "POST":
            return self._log_in(body)
        token = headers.get("X-Vault-Token", "")
        if token not in self.tokens:
            return DENIED
        if place.startswith("auth/token/"):
            return self._token_answer(place, token)
        if place.startswith("transit/"):
            return self._transit_answer(place, body)
        return self._read(place)

    def _log_in(self, body: dict[str, str]) -> Answer:
        if self.roles.get(body["role_id"]) != body["secret_id"]:
            return 400, {"errors": ["invalid role or secret ID"]}
        return 200, {"auth": self._auth(self.token(ttl=self.token_lasts_s, renewable=self.renewable))}

    def _token_answer(self, place: str, token: str) -> Answer:
        if place == "auth/token/lookup-self":
            return 200, {"data": {**self.tokens[token], "id": token}}
        if not self.tokens[token]["renewable"]:
            return 400, {"errors": ["lease is not renewable"]}
        return 200, {"auth": self._auth(token)}

    def _auth(self, token: str) -> dict[str, Any]:
        return {"client_token": token, "lease_duration": self.token_lasts_s, "renewable": self.renewable}

    def _read(self, place: str) -> Answer:
        found = self.kv.get(place)
        if found is None:
            return NOTHING
        metadata = {
            "created_time": "2026-01-01T00:00:00Z",
            "deletion_time": "",
            "destroyed": False,
            "version": 1,
        }
        return 200, {
            "request_id": "r",
            "lease_id": "",
            "renewable": False,
            "lease_duration": self.lease_s,
            "data": {"data": found, "metadata": metadata},
        }

    def _transit_answer(self, place: str, body: dict[str, str]) -> Answer:
        _, what, key = place.split("/")
        if what == "encrypt":
            ciphertext = f"vault:v1:{base64.b64encode(os.urandom(12)).decode()}"
            self._transit[f"{key} {ciphertext}"] = base64.b64decode(body["plaintext"], validate=True)
            return 200, {"data": {"ciphertext": ciphertext}}
        plain = self._transit.get(f"{key} {body['ciphertext']}")
        if plain is None:
            return 400, {"errors": ["cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": base64.b64encode(plain).decode()}}

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
