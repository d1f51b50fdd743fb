"""One connection to an upstream: bytes to response callbacks, one request at a time."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, cast

import httptools

from penstock.wire.tls import TlsPipe

if TYPE_CHECKING:
    from penstock.adapters.http.pool import PendingCall, Pool

MAX_HEAD_BYTES = 256 * 1024
WRITE_HIGH_WATER = 256 * 1024


class UpstreamConnection(asyncio.Protocol):
    """An `asyncio.Protocol` that the pool lends to one call after another."""

    __slots__ = (
        "_extra",
        "_head_bytes",
        "_headers",
        "_in_head",
        "_keep",
        "_length_known",
        "_parser",
        "_tls",
        "_transport",
        "_whole",
        "call",
        "closed",
        "handshake_deadline",
        "idle_since",
        "pool",
        "served",
    )

    def __init__(self, pool: Pool, tls: TlsPipe | None, deadline: float) -> None:
        self.pool = pool
        self.handshake_deadline = deadline if tls is not None else 0.0
        self.call: PendingCall | None = None
        self.closed = False
        self.served = 0
        self.idle_since = 0.0
        self._tls = tls
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._in_head = True
        self._head_bytes = 0
        self._length_known = False
        self._whole = False
        self._extra = False
        self._keep = False

    # --- the transport's side -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the TLS handshake, or report readiness at once."""
        self._transport = cast("asyncio.Transport", transport)
        if self._tls is None:
            self.pool.ready(self)
            return
        try:
            self._tls.handshake()
        except ssl.SSLError as error:
            self._fail("tls_error", str(error))
            return
        self._flush_tls()

    def data_received(self, data: bytes) -> None:
        """Decrypt if need be and parse; any violation of framing ends the connection."""
        if self._tls is not None:
            plain = self._decrypt(self._tls, data)
            if not plain:
                return
            data = plain
        if self.call is None:
            self.close()  # an answer that nobody asked for: whatever follows cannot be trusted
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._fail("bad_response", "the response head is too large")
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail("bad_response", "the upstream switched protocols")
            return
        except httptools.HttpParserCallbackError as error:
            self._fail("internal", "a handler of the response failed")
            raise (error.__context__ or error) from None
        except httptools.HttpParserError as error:
            self._fail("bad_response", f"the response breaks HTTP framing: {error}")
            return
        if self._whole:
            self._complete(keep=self._keep and not self._extra)

    def eof_received(self) -> bool:
        """The upstream finished sending; a body without a length ends here, anything else is cut."""
        if self.call is not None and not self._in_head and not self._length_known:
            self._complete(keep=False)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was under way has failed."""
        if self.closed:
            return
        if self.call is not None and not self._in_head and not self._length_known and exc is None:
            self._complete(keep=False)
            return
        cause = "reset" if self._in_head else "cut"
        self._fail(cause, str(exc) if exc else "the upstream closed the connection")

    # --- TLS ------------------------------------------------------------------------------------------

    def _decrypt(self, tls: TlsPipe, data: bytes) -> bytes:
        was_established = tls.established
        try:
            plain = tls.feed(data)
        except ssl.SSLZeroReturnError:
            self.eof_received()
            self.connection_lost(None)
            return b""
        except ssl.SSLError as error:
            self._fail("tls_error", str(error))
            return b""
        self._flush_tls()
        if tls.established and not was_established:
            self.handshake_deadline = 0.0
            self.pool.ready(self)
        return plain

    def _flush_tls(self) -> None:
        if self._tls is not None and self._transport is not None and (out := self._tls.outgoing()):
            self._transport.write(out)

    def handshake_late(self) -> None:
        """The deadline for the handshake has passed."""
        self._fail("connect_timeout", "no TLS connection within the route's connect_s")

    @property
    def tls_session(self) -> ssl.SSLSession | None:
        """The session to resume with, where this connection speaks TLS."""
        return self._tls.session if self._tls is not None else None

    # --- the call's side ------------------------------------------------------------------------------

    def start(self, call: PendingCall, request: bytes) -> None:
        """Send one request; the answer goes to `call`."""
        self.call = call
        self._in_head = True
        self._head_bytes = 0
        self._length_known = False
        self._whole = False
        self._headers = {}
        transport = self._transport
        if transport is None:
            return
        if self._tls is not None:
            self._tls.write(request)
            self._flush_tls()
        else:
            transport.write(request)

    def pause(self) -> None:
        """Stop reading from the socket."""
        if self._transport is not None and not self.closed:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._transport is not None and not self.closed:
            self._transport.resume_reading()

    def close(self) -> None:
        """Close at once and tell the pool; the call under way hears nothing more."""
        if self.closed:
            return
        self.closed = True
        self.call = None
        self.pool.gone(self)
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, cause: str, detail: str) -> None:
        call, self.call = self.call, None
        was_closed = self.closed
        self.close()
        if call is not None:
            call.failed(cause, detail)
        elif not was_closed and self._tls is not None and not self._tls.established:
            self.pool.handshake_failed(cause, detail)

    # --- the parser's side ----------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Bytes behind a whole answer are nobody's: they must not become the next caller's answer."""
        if self._whole:
            self._extra = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a field; repeated ones are joined (RFC 9110, section 5.3)."""
        key = name.lower()
        known = self._headers.get(key)
        self._headers[key] = value if known is None else known + b", " + value

    def on_headers_complete(self) -> None:
        """Hand on the head of a final response; interim ones (1xx) are passed over."""
        status = self._parser.get_status_code()
        if status < 200 or self.call is None or self._whole:
            self._headers = {}
            return
        headers = self._headers
        self._in_head = False
        self._length_known = (
            b"content-length" in headers or b"transfer-encoding" in headers or status in (204, 304)
        )
        self.call.handler.on_head(status, headers)

    def on_body(self, body: bytes) -> None:
        """Hand on a piece of the body."""
        if self.call is not None and not self._whole:
            self.call.handler.on_data(body)

    def on_message_complete(self) -> None:
        """The answer is whole; an interim response has no body and ends here too."""
        if not self._in_head:
            self._whole = True
            self._keep = self._parser.should_keep_alive()

    def _complete(self, *, keep: bool) -> None:
        self._whole = False
        call, self.call = self.call, None
        self.served += 1
        if keep and not self.closed:
            self.pool.release(self)
        else:
            self.close()
        if call is not None:
            call.finished()
