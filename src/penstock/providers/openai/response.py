"""What of an upstream's response head a client may see, and what a whole answer tells."""

from __future__ import annotations

from typing import Final

# Rate and retry information, request ids, versions; never cookies or the vendor account's names.
_PASSED: Final = frozenset(
    {
        b"content-type",
        b"retry-after",
        b"retry-after-ms",
        b"x-request-id",
        b"openai-processing-ms",
        b"openai-version",
        b"x-should-retry",
        b"content-disposition",
    }
)
_PASSED_PREFIX: Final = b"x-ratelimit-"


def passed_headers(headers: dict[bytes, bytes]) -> bytes:
    """The lines that cross to the client, in the upstream's order."""
    return b"".join(
        [
            b"%b: %b\r\n" % pair
            for pair in headers.items()
            if pair[0] in _PASSED or pair[0][:12] == _PASSED_PREFIX
        ]
    )
