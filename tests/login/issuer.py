"""An identity provider that answers what a test wants it to: the ways in which real ones should never fail."""

from __future__ import annotations

import json
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import KeySet, RSAKey

CLIENT_ID = "penstock"
ALL = ["RS256", "HS256", "none", "ES256", "EdDSA"]


class WrongIssuer:
    """Publishes settings and keys on loopback, and gives tokens; `said` is asked for the token's answer."""

    def __init__(self) -> None:
        self.key: Any = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
        self.published: list[Any] = [self.key]
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.signer: Any = None
        self.settings: dict[str, Any] = {}
        self.token_status = 200
        self.token_answer: dict[str, Any] | None = None
        self.userinfo: dict[str, Any] = {"sub": "s1"}
        self.down = False
        self.form: dict[str, str] = {}
        self.asked: list[str] = []
        issuer = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(*issuer.got(urlsplit(self.path).path))

            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["content-length"])).decode()
                self._answer(*issuer.posted({name: found[0] for name, found in parse_qs(form).items()}))

            def _answer(self, status: int, said: object) -> None:
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """End it."""
        self.server.shutdown()
        self.server.server_close()

    def got(self, path: str) -> tuple[int, object]:
        """What is at a path."""
        self.asked.append(path)
        if self.down:
            return 503, {}
        if path == "/.well-known/openid-configuration":
            known = {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/auth?tenant=a",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "userinfo_endpoint": f"{self.url}/me",
                **self.settings,
            }
            return 200, {name: value for name, value in known.items() if value is not None}
        if path == "/jwks":
            return 200, KeySet(self.published).as_dict(private=False)
        return (200, self.userinfo) if path == "/me" else (404, {})

    def posted(self, form: dict[str, str]) -> tuple[int, object]:
        """The answer to a code."""
        self.asked.append("/token")
        self.form = form
        if self.token_answer is not None or self.down:
            return (503, {}) if self.down else (self.token_status, self.token_answer)
        return 200, {"id_token": self.token(), "access_token": "an-access-token", "token_type": "Bearer"}

    def token(self) -> str:
        """The ID token that the test has put together."""
        claims = {name: value for name, value in self.claims.items() if value is not None}
        header = {"alg": "RS256", "kid": "k1", **self.header}
        header = {name: value for name, value in header.items() if value is not None}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            return jwt.encode(header, claims, self.signer or self.key, algorithms=ALL)
