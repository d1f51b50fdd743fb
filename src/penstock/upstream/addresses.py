"""Where a media vendor's call goes: below the target's base, or to an address that the vendor named.

An address in an answer is followed only to the vendor's documented hosts over HTTPS, or to the origin that the
operator configured; the credential goes to the vendor's API alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from penstock.core.origin import Origin
from penstock.core.target import Target
from penstock.ports.media import Ask
from penstock.wire.http1 import header_safe

_PRINTABLE = re.compile(r"[!-~]{1,8192}")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Address(NamedTuple):
    """An origin, and the path with its query."""

    origin: Origin
    path: bytes


def address_of(ask: Ask, target: Target, loopback: bool) -> Address | None:
    """Where this call goes, None where that may not be."""
    if not ask.url:
        return Address(target.origin, target.base_path + ask.path.encode())
    if _PRINTABLE.fullmatch(ask.url) is None:
        return None
    try:
        parts = urlsplit(ask.url)
        port = parts.port or (80 if parts.scheme == "http" else 443)
    except ValueError:
        return None
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = target.origin
    if ask.keyed and (parts.scheme, host, port) == (own.scheme, own.host, own.port):
        return Address(own, path.encode())
    known = parts.scheme == "https" and port == 443 and is_one_of(host, ask.hosts)
    if not known and not (loopback and host in _LOOPBACK):
        return None
    return Address(msgspec.structs.replace(own, scheme=parts.scheme, host=host, port=port), path.encode())


def is_one_of(host: str, patterns: tuple[str, ...]) -> bool:
    """Whether a host is one of these; `*.` stands for any subdomain."""
    return any(host == each or (each.startswith("*.") and host.endswith(each[1:])) for each in patterns)


def request_bytes(ask: Ask, address: Address, target: Target, request_id: str) -> bytes:
    """The whole request."""
    lines = [
        b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (ask.method.encode(), address.path, address.origin.authority),
        target.auth if ask.keyed else b"",
        b"accept-encoding: identity\r\nuser-agent: penstock\r\n",
    ]
    if ask.keyed:
        lines.append(b"x-penstock-request-id: %b\r\n" % request_id.encode())
    lines += [b"%b: %b\r\n" % (name.encode(), header_safe(value)) for name, value in ask.headers]
    if ask.method != "GET":
        if ask.body:
            lines.append(b"content-type: %b\r\n" % header_safe(ask.content_type))
        lines.append(b"content-length: %d\r\n" % len(ask.body))
    lines += (b"\r\n", ask.body)
    return b"".join(lines)
