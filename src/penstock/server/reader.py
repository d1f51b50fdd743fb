"""Bytes to requests: the parser's side of a client connection, which keeps strictly to RFC 9112."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import httptools

from penstock.ports.http_server import HttpRequest
from penstock.server.head import (
    check_expectation,
    check_framing,
    check_host,
    check_line,
    field_name,
    known_names,
    split_target,
    too_large,
)
from penstock.server.reply import HttpReply
from penstock.wire.http1 import CONTINUE, SINGLE, HeadError

if TYPE_CHECKING:
    from penstock.server.connection import ClientConnection
    from penstock.server.listener import HttpServer

IDLE, HEAD, BODY, BROKEN = range(4)


class RequestReader:
    """Takes the parser's callbacks and queues whole requests, each with the reply that will answer it.

    A callback raises HeadError for what is refused; llhttp then reads no further. The callbacks' names are
    httptools'. State: no byte of a request yet, in its head, in its body, or past an error.
    """

    __deletable__ = ["_parser"]  # noqa: RUF012 - read by the compiler: the cycle with the parser is cut
    __slots__ = (
        "_body",
        "_body_bytes",
        "_continue",
        "_count",
        "_fields",
        "_parser",
        "_primed",
        "_queue",
        "_raw_bytes",
        "_repeated",
        "_reply",
        "_request",
        "_state",
        "_target",
        "_transport",
        "peer",
        "server",
    )

    def __init__(self, server: HttpServer) -> None:
        self.server = server
        self.peer = ""
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._fields: dict[bytes, bytes] = {}
        self._target = b""
        self._repeated: bytes | None = None
        self._count = 0
        self._raw_bytes = 0
        self._body: bytes | list[bytes] = b""
        self._body_bytes = 0
        self._queue: list[tuple[HttpRequest | HeadError, HttpReply]] = []
        self._request: tuple[HttpRequest, HttpReply] | None = None
        self._reply: HttpReply | None = None
        self._primed = False
        self._continue = False
        self._state = IDLE

    def on_url(self, url: bytes) -> None:
        """The target, possibly in pieces."""
        self._state = HEAD
        self._target = self._target + url if self._target else url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field; trailers come here too and are dropped with the dict they are put in."""
        key = known_names.get(name) or field_name(name)
        if value[-1:] in b" \t":
            value = value.rstrip(b" \t")
        fields = self._fields
        self._count += 1
        if key in fields:
            if key in SINGLE:
                self._repeated = key
            fields[key] += b", " + value
        else:
            fields[key] = value

    def on_headers_complete(self) -> None:
        """Check the head before any of the body is taken."""
        self._state = BODY
        fields, self._fields = self._fields, {}
        if self._primed:
            return
        server, parser = self.server, self._parser
        limits = server.limits
        method, version = parser.get_method(), parser.get_http_version()
        target, http_10 = self._target, version == "1.0"
        check_line(method, target, version, limits)
        if self._count > limits.max_headers or self._raw_bytes > limits.max_head_bytes:
            self._measure(fields)
        if self._repeated is not None:
            name = self._repeated.decode("latin-1")
            raise HeadError(400, "duplicate_header", f"the header {name} was sent twice; send it once")
        check_host(fields, http_10=http_10)
        check_framing(fields, limits, http_10=http_10)
        path, query = split_target(target)
        reply = HttpReply(
            cast("ClientConnection", self),
            head_only=method == b"HEAD",
            http_10=http_10,
            keep_alive=parser.should_keep_alive() or (parser.should_upgrade() and not http_10),
        )
        request = HttpRequest(method, path, query, fields, b"", 0.0, self.peer)
        self._request = (request, reply)
        if b"expect" in fields and check_expectation(fields) and not http_10:
            self._continue = True
            self._say_continue()

    def _measure(self, fields: dict[bytes, bytes]) -> None:
        """A head and a large body may have come in one piece: is it the head that is too large?"""
        limits = self.server.limits
        if self._count > limits.max_headers:
            raise HeadError(431, "headers_too_large", f"more than {limits.max_headers} header fields")
        size = len(self._target) + sum(len(name) + len(value) + 4 for name, value in fields.items())
        if size > limits.max_head_bytes:
            raise HeadError(431, "headers_too_large", "the request head is too large")

    def _say_continue(self) -> None:
        """Ask for the body (RFC 9110, section 10.1.1), once no earlier answer is still under way."""
        if not self._queue and self._reply is None and self._transport is not None:
            self._continue = False
            self._transport.write(CONTINUE)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if not self._body_bytes:
            self._body = body
        elif isinstance(self._body, bytes):
            self._body = [self._body, body]
        else:
            self._body.append(body)
        self._body_bytes += len(body)
        if self._body_bytes > self.server.limits.max_body_bytes:
            raise HeadError(413, "body_too_large", too_large(self.server.limits))

    def on_message_complete(self) -> None:
        """The request is whole, unless the parser stopped at a head that asks for an upgrade."""
        if self._request is None or (not self._primed and self._parser.should_upgrade()):
            return
        request, body = self._request[0], self._body
        request.body = body if isinstance(body, bytes) else b"".join(body)
        request.received_at = self.server.clock.monotonic()
        self._queue.append(self._request)
        self._request = None
        self._primed = self._continue = False
        self._target = self._body = b""
        if self._fields:
            self._fields = {}
        self._repeated = None
        self._raw_bytes = self._body_bytes = self._count = 0
        self._state = IDLE
        if len(self._queue) > self.server.limits.pipelined_requests:
            raise HeadError(
                400, "too_many_requests_ahead", "too many requests were sent ahead of their answers"
            )
