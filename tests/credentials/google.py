"""A token endpoint of Google that checks assertions, and a service account for it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

EMAIL = "penstock@project-1.iam.gserviceaccount.com"
# Google's, wherever the token is asked for.
AUDIENCE = "https://oauth2.googleapis.com/token"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class TokenEndpoint:
    """Gives the Nth token for the Nth good assertion, good for `lasts_s`; 401 for others, or while `shut`."""

    def __init__(self, lasts_s: int = 3600) -> None:
        self.lasts_s = lasts_s
        self.given: list[str] = []
        self.refused = 0
        self.shut = False
        self._key = rsa.generate_private_key(65537, 2048)
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Answer one request for a token."""
                form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                status, answer = endpoint.answer({name: values[0] for name, values in form.items()})
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/token"

    def account(self, *, wrong: bool = False) -> str:
        """The JSON of the account's key; `wrong`: of a key that the endpoint does not know."""
        key = rsa.generate_private_key(65537, 2048) if wrong else self._key
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        account = {
            "type": "service_account",
            "project_id": "project-1",
            "private_key_id": "k1",
            "private_key": pem,
            "client_email": EMAIL,
            "token_uri": self.url,
        }
        return json.dumps(account, indent=2)

    def answer(self, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        if self.shut or not self._good(form["assertion"]):
            self.refused += 1
            return 401, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        self.given.append(f"token-{len(self.given) + 1}-of-the-endpoint")
        return 200, {"access_token": self.given[-1], "expires_in": self.lasts_s, "token_type": "Bearer"}

    def _good(self, assertion: str) -> bool:
        signed, _, signature = assertion.rpartition(".")
        try:
            self._key.public_key().verify(
                _decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not good
            return False
        claims = json.loads(_decoded(signed.split(".")[1]))
        return (claims["iss"], claims["scope"], claims["aud"]) == (EMAIL, SCOPE, AUDIENCE)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
