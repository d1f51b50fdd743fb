"""HTTP without an SDK, where the bytes themselves are what a test is about."""

from __future__ import annotations

import http.client
import json
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Plain(NamedTuple):
    """An answer as it came; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


def send(
    url: str,
    body: object,
    key: str,
    *,
    method: str = "POST",
    headers: dict[str, str] | None = None,
) -> Plain:
    """Send one request; a body that is not bytes is sent as JSON."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"authorization": f"Bearer {key}", "content-type": "application/json"} | (headers or {})
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, data if method == "POST" else None, lines)
        answer = connection.getresponse()
        return Plain(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()
