"""JSON documents of identity providers, with bounds on time and size, and over TLS except on this machine."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cached_property
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
        self._ca_file = ca_file

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Read once: that takes longer than most requests."""
        return ssl.create_default_context(cafile=self._ca_file)

    def __call__(self, url: str) -> dict[str, Any]:
        """The object at a URL; redirects are not followed. Raises FetchError."""
        status, found = self.ask("GET", url)
        if status != 200:
            raise FetchError(f"{url} answers {status}")
        return found

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Status and object; an answer that is no success may have no object. Raises FetchError."""
        check_url(url)
        sent = {"accept": "application/json", **(headers or {})}
        try:
            with (
                httpx.Client(verify=self._tls, timeout=TIMEOUT_S, follow_redirects=False) as client,
                client.stream(method, url, headers=sent, data=dict(form) if form else None) as answer,
            ):
                data = b""
                for piece in answer.iter_bytes():
                    data += piece
                    if len(data) > MOST_BYTES:
                        raise FetchError(f"{url} answers with more than {MOST_BYTES} bytes")
        except httpx.HTTPError as error:
            raise FetchError(f"{url}: {error or type(error).__name__}") from None
        return answer.status_code, _object(data, url, must=answer.status_code == 200)


def _object(data: bytes, url: str, *, must: bool) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if isinstance(found, dict):
        return cast("dict[str, Any]", found)
    if must:
        raise FetchError(f"{url} does not answer with a JSON object")
    return {}


def check_url(url: str) -> None:
    """Whoever could change what is fetched could sign anything. Raises FetchError."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise FetchError(f"{url[:200]!r} is no URL") from None
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or not parts.hostname or not is_loopback(f"{_host(parts.hostname)}:1"):
        raise FetchError(f"{url[:200]} must begin with https://")


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name else name
