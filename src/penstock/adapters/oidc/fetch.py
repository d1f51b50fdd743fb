"""JSON documents of identity providers, with bounds on time and size, and over TLS except on this machine."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import msgspec

from penstock.config.values import is_loopback
from penstock.ports.fetch import FetchError

TIMEOUT_S = 5.0
MOST_BYTES = 512_000


class JsonFetcher:
    """Fetches with the certificate authorities in `ca_file`, or with those of the system."""

    def __init__(self, ca_file: str | None = None) -> None:
        self._verify: Any = ca_file or True

    def __call__(self, url: str) -> dict[str, Any]:
        """The object at a URL; redirects are not followed. Raises FetchError."""
        check_url(url)
        try:
            with (
                httpx.Client(verify=self._verify, timeout=TIMEOUT_S, follow_redirects=False) as client,
                client.stream("GET", url, headers={"accept": "application/json"}) as answer,
            ):
                if answer.status_code != 200:
                    raise FetchError(f"{url} answers {answer.status_code}")
                data = b""
                for piece in answer.iter_bytes():
                    data += piece
                    if len(data) > MOST_BYTES:
                        raise FetchError(f"{url} answers with more than {MOST_BYTES} bytes")
        except httpx.HTTPError as error:
            raise FetchError(f"{url}: {error or type(error).__name__}") from None
        try:
            found = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise FetchError(f"{url} does not answer with JSON") from None
        if not isinstance(found, dict):
            raise FetchError(f"{url} does not answer with a JSON object")
        return cast("dict[str, Any]", found)


def check_url(url: str) -> None:
    """Whoever could change what is fetched could sign anything. Raises FetchError."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or not parts.hostname or not is_loopback(f"{_host(parts.hostname)}:1"):
        raise FetchError(f"{url[:200]} must begin with https://")


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name else name
