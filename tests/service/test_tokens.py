"""Tokens (JWT) at a running service: keys from a web server, fetched by control, and their rotation."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc.jwk import ECKey

from tests.service.service import Service, until
from tests.tokens.issuing import claims, published, token


class Issuer:
    """Publishes its settings and keys on loopback."""

    def __init__(self) -> None:
        self.keys: list[Any] = [ECKey.generate_key("P-256", {"kid": "first"})]
        issuer = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = issuer.answer(self.path)
                self.send_response(200 if body else 404)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.asked = 0
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path: str) -> bytes:
        """What is at a path."""
        if path == "/.well-known/openid-configuration":
            return json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/keys"}).encode()
        if path != "/keys":
            return b""
        self.asked += 1
        return published(*self.keys)

    def token(self, key: int = -1, **said: Any) -> str:
        """A token that is good now."""
        now = int(time.time())  # noqa: TID251 - the service under test has the real time
        good = claims(iss=self.url, iat=now, exp=now + 600)
        return token({**good, **said}, "ES256", self.keys[key]).decode()


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """One issuer for the module."""
    made = Issuer()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def service(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that takes the issuer's tokens."""
    config = f"""\
version: 1
providers: {{sim: {{kind: simulator}}}}
routes: {{echo: {{policy: sim/echo}}, other: {{policy: sim/echo}}}}
orgs: {{acme: {{users: {{"*": {{limits: {{rpm: 3}}}}}}}}}}
auth: {{tokens: {{staff: {{issuer: "{issuer.url}", audience: [penstock], org: acme, routes: [echo]}}}}}}
"""
    with Service(tmp_path_factory.mktemp("s"), config) as running:
        yield running


def ask(service: Service, secret: str, model: str = "echo") -> tuple[int, Any]:
    """Status and answer of a request."""
    connection: http.client.HTTPConnection = service.connect()
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}]})
    headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
    connection.request("POST", "/v1/chat/completions", body, headers)
    answer = connection.getresponse()
    found = json.loads(answer.read())
    connection.close()
    return answer.status, found


def test_a_token_opens_what_its_claims_say(service: Service, issuer: Issuer) -> None:
    """Once control has the keys, a token works within its routes, and its user's limit holds over tokens."""
    until(lambda: ask(service, issuer.token(sub="first"))[0] == 200, 30)
    assert ask(service, issuer.token(sub="first"), "other")[1]["error"]["code"] == "route_not_allowed"
    assert ask(service, issuer.token(aud="other"))[1]["error"]["code"] == "token_rejected"
    statuses = [ask(service, issuer.token(sub="alice", jti=str(number)))[0] for number in range(4)]
    assert statuses == [200, 200, 200, 429]
    row = next(row for row in service.logs() if row["user"] == "alice")
    assert (row["org"], row["key"]) == ("acme", "jwt:staff")


def test_keys_rotate_and_survive_their_issuer(service: Service, issuer: Issuer) -> None:
    """A new key is fetched as soon as a token has it, an old one's tokens end; a restart needs no issuer."""
    until(lambda: ask(service, issuer.token(sub="r0"))[0] == 200, 30)
    old = issuer.token(sub="r1")
    issuer.keys = [ECKey.generate_key("P-256", {"kid": "second"})]
    numbers = iter(range(1000))

    def taken() -> bool:
        time.sleep(0.2)
        return ask(service, issuer.token(sub=f"new-{next(numbers)}"))[0] == 200

    until(taken, 40)
    until(lambda: ask(service, old)[0] == 401)
    asked = issuer.asked
    issuer.keys, kept = [], issuer.keys
    service.kill("gateway")
    service.wait_ready()
    issuer.keys = kept
    assert ask(service, issuer.token(sub="after"))[0] == 200
    assert issuer.asked - asked <= 1
