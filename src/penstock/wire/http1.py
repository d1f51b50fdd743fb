"""HTTP/1.1 heads as bytes (RFC 9112), and the rules of strict framing that the parser leaves to us."""

from __future__ import annotations

import math
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

STATUS_LINES: Final[dict[int, bytes]] = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"

# A second one of these could be read by us and ignored by the next server, or the other way round.
SINGLE: Final = frozenset(
    {
        b"host",
        b"authorization",
        b"x-api-key",
        b"x-goog-api-key",
        b"content-type",
        b"content-length",
        b"transfer-encoding",
        b"expect",
    }
)
# RFC 9110, section 5.6.2.
_TOKEN: Final = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")

_PRINTABLE: Final = range(ord(" "), ord("~") + 1)


class HeadError(ValueError):
    """The head breaks a framing rule; `status` is what the peer is told."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def status_line(status: int) -> bytes:
    """The status line; a status without a registered phrase (529) gets an empty one (RFC 9112, section 4)."""
    return STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n".encode()


def render_head(status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A response head up to and including its blank line."""
    return b"".join((status_line(status), *[b"%b: %b\r\n" % pair for pair in headers], b"\r\n"))


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body (RFC 9112, section 7.1); `data` must not be empty."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def is_token(name: bytes) -> bool:
    """Whether a lower-cased field name is a token."""
    return bool(name) and _TOKEN.issuperset(name)


def header_safe(text: str) -> bytes:
    """A value that cannot end its header line: printable ASCII, anything else as `?`."""
    return bytes(byte if byte in _PRINTABLE else ord("?") for byte in text.encode("ascii", "replace"))


def parse_retry_after(value: bytes | None, now_s: float) -> float | None:
    """Seconds to wait by a Retry-After field (RFC 9110, section 10.2.3), or None where it says nothing."""
    if not value:
        return None
    text = value.decode("latin-1").strip()
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        return max(0.0, seconds) if math.isfinite(seconds) else None
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - dates are rare and the import is slow

    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_s)
    except (ValueError, TypeError):
        return None
