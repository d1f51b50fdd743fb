"""One chat request over urllib, and what came of it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

KEY = "sk-test-gateway"


@dataclass(frozen=True)
class Told:
    """Status, parsed body, and header fields by lower-case name."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def code(self) -> str:
        """The error's code, empty for an answer."""
        return str(self.body.get("error", {}).get("code", ""))


def ask(url: str, model: str, *, key: str = KEY, headers: dict[str, str] | None = None, **fields: Any) -> Told:
    """Send a chat request."""
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}], **fields}
    request = urllib.request.Request(
        url + "/v1/chat/completions",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **(headers or {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return Told(response.status, json.load(response), _fields(response.headers))
    except urllib.error.HTTPError as error:
        with error:
            return Told(error.code, json.load(error), _fields(error.headers))


def _fields(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
