"""The rules that a request's head must meet before any of its body is taken, and the target's parts.

llhttp is strict about syntax (bare LF, folded lines, control characters, signs and lists in Content-Length);
here stands what it leaves open. docs/http-framing.md compares the sum of both with RFC 9112 and with nginx.
"""

from __future__ import annotations

import posixpath
import re
from typing import Final
from urllib.parse import unquote_to_bytes

from penstock.server.limits import ServerLimits
from penstock.wire.http1 import HeadError, is_token

_METHODS: Final = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})
_TARGET_STARTS: Final = (b"/", b"http://", b"https://", b"*")
# RFC 3986, section 3.2.2: a registered name or an address, and a port.
_HOST: Final = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]*)(?::[0-9]*)?\Z")
_KNOWN: Final = 1024
_LONGEST_KNOWN: Final = 128

# What the same few clients send again and again is worked out once. Each is bounded, in entries and in bytes.
known_names: dict[bytes, bytes] = {}
_known_hosts: Final[set[bytes]] = set()
_known_targets: Final[dict[bytes, tuple[str, bytes]]] = {}


def field_name(name: bytes) -> bytes:
    """The field name in lower case; look into `known_names` first. Raises HeadError for what is no token."""
    key = name.lower()
    if not is_token(key):
        raise HeadError(400, "bad_header", "a header name has a character that is not allowed")
    if len(known_names) < _KNOWN and len(name) <= _LONGEST_KNOWN:
        known_names[name] = key
    return key


def check_line(method: bytes, target: bytes, version: str, limits: ServerLimits) -> None:
    """Raise HeadError for a request line that is not served (RFC 9112, section 3)."""
    if version not in ("1.1", "1.0"):
        raise HeadError(505, "bad_http_version", "the versions served are HTTP/1.1 and HTTP/1.0")
    if method not in _METHODS:
        raise HeadError(405, "method_not_allowed", "this method is not served")
    if len(target) > limits.max_target_bytes:
        raise HeadError(414, "target_too_long", "the request target is too long")
    if not target.startswith(_TARGET_STARTS) or (target[:1] != b"/" and not _is_special(method, target)):
        raise HeadError(400, "bad_target", "the request target must be a path")


def _is_special(method: bytes, target: bytes) -> bool:
    """Absolute form with an authority, or the asterisk of OPTIONS (RFC 9112, sections 3.2.2 and 3.2.4)."""
    if target.startswith(b"*"):
        return target == b"*" and method == b"OPTIONS"
    return not target.partition(b"://")[2].startswith((b"/", b"?")) and not target.endswith(b"://")


def check_host(fields: dict[bytes, bytes], *, http_10: bool) -> None:
    """Raise HeadError for a missing or malformed Host (RFC 9112, section 3.2)."""
    host = fields.get(b"host")
    if host is None:
        if not http_10:
            raise HeadError(400, "missing_host", "HTTP/1.1 requires a Host header")
    elif host not in _known_hosts:
        if _HOST.match(host) is None:
            raise HeadError(400, "bad_host", "the Host header is not a host and a port")
        if len(_known_hosts) < _KNOWN and len(host) <= _LONGEST_KNOWN:
            _known_hosts.add(host)


def check_framing(fields: dict[bytes, bytes], limits: ServerLimits, *, http_10: bool) -> None:
    """Raise HeadError for a body whose end two readers could see at different places, or that is too large.

    RFC 9112, section 6: what the RFC lets a server repair (both length and coding, HTTP/1.0 with a coding) is
    refused here, because the next reader may repair it in another way.
    """
    length = fields.get(b"content-length")
    coding = fields.get(b"transfer-encoding")
    if coding is not None:
        if http_10:
            raise HeadError(400, "bad_framing", "HTTP/1.0 has no transfer-encoding")
        if coding.lower() != b"chunked":
            raise HeadError(501, "bad_framing", "the only transfer-encoding served is chunked")
        if length is not None:
            raise HeadError(400, "bad_framing", "content-length and transfer-encoding exclude each other")
    elif length is not None:
        if not length.isdigit():
            raise HeadError(400, "bad_framing", "content-length must be a number")
        if int(length) > limits.max_body_bytes:
            raise HeadError(413, "body_too_large", too_large(limits))


def check_expectation(fields: dict[bytes, bytes]) -> bool:
    """Whether the client waits for `100 Continue`; raises HeadError for another expectation."""
    expect = fields.get(b"expect")
    if expect is None:
        return False
    if expect.lower() != b"100-continue":
        raise HeadError(417, "bad_expectation", "the only expectation served is 100-continue")
    return True


def split_target(target: bytes) -> tuple[str, bytes]:
    """Path and query. The path is normalised: percent-decoded, no empty or dot segments, no trailing slash."""
    known = _known_targets.get(target)
    if known is not None:
        return known
    parts = _split(target)
    if len(_known_targets) < _KNOWN and len(target) <= _LONGEST_KNOWN:
        _known_targets[target] = parts
    return parts


def _split(target: bytes) -> tuple[str, bytes]:
    if not target.startswith(b"/"):
        _, _, rest = target.partition(b"://")
        target = b"/" + rest.partition(b"/")[2]
    path, _, query = target.partition(b"#")[0].partition(b"?")
    if b"%" in path:
        path = unquote_to_bytes(path)
    if b"//" in path or b"/." in path or (path.endswith(b"/") and len(path) > 1):
        path = posixpath.normpath(b"/" + path.lstrip(b"/"))
    return path.decode("utf-8", "replace"), query


def too_large(limits: ServerLimits) -> str:
    """The sentence for a body over the limit."""
    return f"the body is larger than {limits.max_body_bytes} bytes (server.max_body_bytes)"
