"""One HTTP request over a Unix socket of this installation."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from penstock.adapters.credentials.place import address_of


def ask(
    door: Path,
    method: str,
    path: str,
    *,
    timeout_s: float,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, dict[str, Any]]:
    """Status and JSON body. Raises OSError, http.client.HTTPException, msgspec.DecodeError."""
    connection = http.client.HTTPConnection("penstock", timeout=timeout_s)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(timeout_s)
        with address_of(door) as name:
            sock.connect(name)
        connection.sock = sock
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, msgspec.json.decode(answer.read(), type=dict[str, Any])
    finally:
        connection.close()
        sock.close()
