"""One HTTP request for a token or a secret: redirects are not followed, metadata are asked directly."""

from __future__ import annotations

import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from penstock.config.access_checks import is_metadata

MAX_BYTES = 1_000_000
TIMEOUT_S = 20.0


class _Readable(Protocol):
    def read(self, amount: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """A token endpoint has no reason to send anybody, with a secret in hand, somewhere else."""


def ask(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout_s: float = TIMEOUT_S,
    ca_file: str = "",
) -> Told:
    """Send it. `ca_file` has the authorities to believe. Raises OSError where there is no answer."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise OSError(f"a token endpoint has http or https, not {parts.scheme!r}")
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if is_metadata(parts.hostname or "") or parts.netloc == os.environ.get("GCE_METADATA_HOST"):
        handlers.append(urllib.request.ProxyHandler({}))
    if ca_file:
        handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca_file)))
    opener = urllib.request.build_opener(*handlers)
    request = urllib.request.Request(url, body, dict(headers or {}), method=method)  # noqa: S310 - see above
    try:
        with opener.open(request, timeout=timeout_s) as response:
            return Told(response.status, dict(response.headers.items()), _read(response))
    except urllib.error.HTTPError as error:
        with error:
            return Told(error.code, dict(error.headers.items()), _read(error))


def _read(source: _Readable) -> bytes:
    return source.read(MAX_BYTES)
