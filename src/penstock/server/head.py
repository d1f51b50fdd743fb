"""A request's head as it is read, and the rules it must meet before any of its body is taken."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote_to_bytes

from penstock.server.limits import ServerLimits
from penstock.wire.http1 import SINGLE, HeadError, is_token

_METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})
_known_names: dict[bytes, bytes] = {}


class RequestHead:
    """Target and fields of one request; `http_10`, `keep_alive` and `upgrade` are told by the parser."""

    __slots__ = (
        "body_bytes",
        "count",
        "expects_continue",
        "fields",
        "http_10",
        "keep_alive",
        "method",
        "query",
        "repeated",
        "target",
        "upgrade",
    )

    def __init__(self) -> None:
        self.target = b""
        self.method = b""
        self.query = b""
        self.fields: dict[bytes, bytes] = {}
        self.repeated = b""
        self.count = 0
        self.body_bytes = 0
        self.expects_continue = False
        self.http_10 = False
        self.keep_alive = True
        self.upgrade = False

    def add(self, name: bytes, value: bytes) -> None:
        """Take one field. Which repetitions are wrong is decided in `check`."""
        key = _known_names.get(name) or _lower(name)
        fields = self.fields
        self.count += 1
        if key in fields:
            if key in SINGLE:
                self.repeated = key
            fields[key] += b", " + value
        else:
            fields[key] = value

    def check(self, limits: ServerLimits) -> None:
        """Raise HeadError for a head that could be read in two ways, or that is too large."""
        fields = self.fields
        if self.count > limits.max_headers:
            raise HeadError(431, "headers_too_large", f"more than {limits.max_headers} header fields")
        if len(self.target) > limits.max_target_bytes:
            raise HeadError(414, "target_too_long", "the request target is too long")
        if self.repeated:
            name = self.repeated.decode("latin-1")
            raise HeadError(400, "duplicate_header", f"the header {name} was sent twice; send it once")
        if self.method not in _METHODS:
            raise HeadError(405, "method_not_allowed", "this method is not served")
        if not self.http_10 and b"host" not in fields:
            raise HeadError(400, "missing_host", "HTTP/1.1 requires a Host header")
        if not self.target.startswith((b"/", b"http://", b"https://", b"*")):
            raise HeadError(400, "bad_target", "the request target must be a path")
        self._check_body(limits)

    def _check_body(self, limits: ServerLimits) -> None:
        fields = self.fields
        coding = fields.get(b"transfer-encoding")
        if coding is not None:
            if self.http_10:
                raise HeadError(400, "bad_framing", "HTTP/1.0 has no transfer-encoding")
            if coding.lower() != b"chunked":
                raise HeadError(501, "bad_framing", "the only transfer-encoding served is chunked")
            if b"content-length" in fields:
                raise HeadError(400, "bad_framing", "content-length and transfer-encoding exclude each other")
        length = fields.get(b"content-length")
        if length is not None and (not length.isdigit() or int(length) > limits.max_body_bytes):
            if not length.isdigit():
                raise HeadError(400, "bad_framing", "content-length must be a number")
            raise HeadError(413, "body_too_large", too_large(limits))
        expect = fields.get(b"expect")
        if expect is not None:
            if expect.lower() != b"100-continue":
                raise HeadError(417, "bad_expectation", "the only expectation served is 100-continue")
            self.expects_continue = not self.http_10

    def path(self) -> str:
        """The normalised path: percent-decoded, no empty or dot segments, no trailing slash."""
        target = self.target
        if not target.startswith(b"/"):
            _, _, rest = target.partition(b"://")
            target = b"/" + rest.partition(b"/")[2]
        path, _, self.query = target.partition(b"?")
        path = path.partition(b"#")[0]
        if b"%" in path:
            path = unquote_to_bytes(path)
        if b"//" in path or b"/." in path or (path.endswith(b"/") and len(path) > 1):
            path = posixpath.normpath(b"/" + path.lstrip(b"/"))
        return path.decode("utf-8", "replace")


def too_large(limits: ServerLimits) -> str:
    """The sentence for a body over the limit."""
    return f"the body is larger than {limits.max_body_bytes} bytes (server.max_body_bytes)"


def _lower(name: bytes) -> bytes:
    """The field name in lower case; names that occur are few, so each is checked once."""
    key = name.lower()
    if not is_token(key):
        raise HeadError(400, "bad_header", "a header name has a character that is not allowed")
    if len(_known_names) < 1024:
        _known_names[name] = key
    return key
