"""Calls from web pages: which pages may make them and read the answers.

The protocol: https://fetch.spec.whatwg.org/#http-cors-protocol. Nothing here admits anybody:
a page still needs a key. Credentials of the browser (cookies) are never allowed, so that no page can act as
somebody who is logged in at the dashboard, whose paths answer no other page at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from penstock.pipeline.admin import is_admin
from penstock.ports.http_server import HttpRequest, Reply, ReplyListener, RequestHandler

_METHODS = b"GET, HEAD, POST, DELETE"
_HEADERS = frozenset(
    {
        "accept", "accept-language", "authorization", "cache-control", "content-language", "content-type",
        "idempotency-key", "traceparent", "tracestate", "user-agent", "x-api-key", "x-client-request-id",
        "x-goog-api-client", "x-goog-api-key", "x-request-id",
    }
)  # fmt: skip
# Those of SDKs change with their versions; none of them is of weight here.
_PREFIXES = ("anthropic-", "openai-", "x-amz-", "x-penstock-", "x-stainless-")
_MOST_HEADERS = 64
_EXPOSED = (
    b"x-penstock-request-id, x-penstock-route, x-penstock-target, x-penstock-attempts, x-penstock-cache, "
    b"x-penstock-cost-usd, x-penstock-overhead-us, x-penstock-budget-left-usd, x-penstock-warning, "
    b"x-penstock-degraded, x-penstock-resumed, "
    b"retry-after, retry-after-ms, x-should-retry, request-id, x-request-id"
)
_PREFLIGHT_S = 600


class Browsers:
    """Implements ports.http_server.RequestHandler in front of another.

    Args:
        inner: answers the requests.
        origins: `scheme://host[:port]` of the pages that may call, or `*` alone for all.
    """

    def __init__(self, inner: RequestHandler, origins: Iterable[str]) -> None:
        self._inner = inner
        self._origins = frozenset(each.encode() for each in origins)
        self._all = b"*" in self._origins

    def handle(self, request: HttpRequest, reply: Reply) -> None:
        """See RequestHandler."""
        if is_admin(request.path) or request.path == "/metrics":
            self._inner.handle(request, reply)
            return
        lines = self._lines(request.headers.get(b"origin", b""))
        if not lines:
            self._inner.handle(request, reply)
            return
        asked = request.headers.get(b"access-control-request-method")
        if request.method == b"OPTIONS" and asked is not None and b"allow-origin" in lines:
            reply.send(204, lines + _allowed(request.headers.get(b"access-control-request-headers", b"")), b"")
            return
        # Its attributes are properties, which a protocol cannot say.
        self._inner.handle(request, cast("Reply", CorsReply(reply, lines)))

    def refuse(self, path: str, reply: Reply, status: int, code: str, message: str) -> None:
        """See RequestHandler. What cannot be read as a request has no origin."""
        self._inner.refuse(path, reply, status, code, message)

    def _lines(self, origin: bytes) -> bytes:
        """The lines of an answer to a page of `origin`; empty where it needs none."""
        if self._all:
            return _readable(b"*") if origin else b""
        if origin not in self._origins:
            return b"vary: origin\r\n"
        return _readable(origin) + b"vary: origin\r\n"


def fronted(handler: RequestHandler, origins: Iterable[str]) -> RequestHandler:
    """The handler, with answers to web pages where some are allowed."""
    allowed = tuple(origins)
    return Browsers(handler, allowed) if allowed else handler


def _readable(origin: bytes) -> bytes:
    return b"access-control-allow-origin: %b\r\naccess-control-expose-headers: %b\r\n" % (origin, _EXPOSED)


def _allowed(asked: bytes) -> bytes:
    """What a page may send, of the fields that it asks for."""
    names = [each.strip().lower() for each in asked.decode("latin-1").split(",")[:_MOST_HEADERS]]
    allowed = [name for name in names if name in _HEADERS or name.startswith(_PREFIXES)]
    fields = ", ".join([name for name in allowed if name.isascii() and name.replace("-", "").isalnum()])
    return (
        b"access-control-allow-methods: %b\r\n"
        b"access-control-allow-headers: %b\r\n"
        b"access-control-max-age: %d\r\n"
    ) % (_METHODS, fields.encode(), _PREFLIGHT_S)


class CorsReply:
    """Implements ports.http_server.Reply: another with lines that every head gets."""

    __slots__ = ("_lines", "_reply")

    def __init__(self, reply: Reply, lines: bytes) -> None:
        self._reply = reply
        self._lines = lines

    @property
    def listener(self) -> ReplyListener | None:
        """See Reply."""
        return self._reply.listener

    @listener.setter
    def listener(self, listener: ReplyListener | None) -> None:
        self._reply.listener = listener

    @property
    def bytes_out(self) -> int:
        """See Reply."""
        return self._reply.bytes_out

    @bytes_out.setter
    def bytes_out(self, count: int) -> None:
        self._reply.bytes_out = count

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        """See Reply."""
        self._reply.send(status, headers + self._lines, body)

    def start(self, status: int, headers: bytes, length: int | None = None) -> None:
        """See Reply."""
        self._reply.start(status, headers + self._lines, length)

    def write(self, data: bytes) -> None:
        """See Reply."""
        self._reply.write(data)

    def end(self, data: bytes = b"") -> None:
        """See Reply."""
        self._reply.end(data)

    def abort(self) -> None:
        """See Reply."""
        self._reply.abort()
