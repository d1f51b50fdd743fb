"""One connection to an upstream: bytes to response callbacks, one request at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

import httptools

from penstock.adapters.http.tls import TlsLayer
from penstock.ports.transport import ResponseHandler

if TYPE_CHECKING:
    from penstock.adapters.http.call import UpstreamCall
    from penstock.adapters.http.pool import Pool

MAX_HEAD_BYTES: Final = 256 * 1024
_KNOWN: Final = 1024
_FIRST_FINAL: Final = 200

# Upstreams send the same few names; each spelling is lowered once. Bounded in entries and bytes.
_known_names: Final[dict[bytes, bytes]] = {}


class UpstreamConnection:
    """What the pool lends to one call after another: an asyncio protocol by its methods, not by its base.

    What comes behind a whole answer, or without a request, is nobody's: the connection is closed, so that it
    can never become the next caller's answer.
    """

    __deletable__ = ["_parser"]  # noqa: RUF012 - read by the compiler: the cycle with the parser is cut
    __slots__ = (
        "_extra",
        "_handler",
        "_head_bytes",
        "_headers",
        "_in_head",
        "_keep",
        "_length_known",
        "_parser",
        "_paused",
        "_transport",
        "_whole",
        "call",
        "closed",
        "idle_since",
        "pool",
        "served",
    )

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.call: UpstreamCall | None = None
        self.closed = False
        self.served = 0
        self.idle_since = 0.0
        self._handler: ResponseHandler | None = None
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._in_head = True
        self._head_bytes = 0
        self._length_known = False
        self._whole = False
        self._keep = False
        self._extra = False
        self._paused = False

    # --- the transport's side -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands, its TLS handshake included."""
        self._transport = cast("asyncio.Transport", transport)
        self.pool.live.add(self)

    def data_received(self, data: bytes) -> None:
        """Parse; any violation of framing ends the connection."""
        if self.call is None:
            self.close()  # an answer that nobody asked for: whatever follows cannot be trusted
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.fail("bad_response", "the upstream switched protocols")
            return
        except httptools.HttpParserCallbackError as error:
            self.pool.report(error.__context__ or error)
            self.fail("internal", "a handler of the response failed")
            return
        except httptools.HttpParserError as error:
            if not self._whole:
                self.fail("bad_response", f"the response breaks HTTP framing: {error}")
                return
            self._extra = True
        if self._whole:
            self._complete(keep=self._keep and not self._extra)
        elif self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.fail("bad_response", "the response head is too large")

    def eof_received(self) -> bool:
        """The upstream finished sending; a body without a length ends here, anything else is cut."""
        if self.call is not None and not self._in_head and not self._length_known:
            self._complete(keep=False)
        return False

    def pause_writing(self) -> None:
        """Requests are written whole; the kernel takes them when it can."""

    def resume_writing(self) -> None:
        """See `pause_writing`."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was under way has failed."""
        if not self.closed:
            cause = "reset" if self._in_head else "cut"
            self.fail(cause, str(exc) if exc else "the upstream closed the connection")
        self._transport = None
        del self._parser  # it holds us, and we it

    @property
    def session(self) -> object:
        """The TLS session to resume with; None on a plain connection."""
        return self._transport.session if isinstance(self._transport, TlsLayer) else None

    # --- the call's side ------------------------------------------------------------------------------

    def start(self, call: UpstreamCall, request: bytes) -> None:
        """Send one request; the answer goes to the call's handler."""
        self.call = call
        self._handler = call.handler
        self._in_head = True
        self._head_bytes = 0
        self._whole = False
        if self._transport is not None:
            self._transport.write(request)

    def pause(self) -> None:
        """Stop reading from the socket."""
        if self._transport is not None and not self.closed and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._transport is not None and not self.closed and self._paused:
            self._paused = False
            self._transport.resume_reading()

    def close(self) -> None:
        """Close at once and tell the pool; the call under way hears nothing more."""
        if self.closed:
            return
        self.closed = True
        self.call = self._handler = None
        if self._transport is not None:
            self._transport.abort()
        self.pool.gone(self)

    def fail(self, cause: str, detail: str) -> None:
        """Close at once, and tell the call under way."""
        call = self.call
        self.close()
        if call is not None:
            call.failed(cause, detail)

    # --- the parser's side ----------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A second message behind a whole answer; one behind an interim answer is expected."""
        if self._whole:
            self._extra = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a field; repeated ones are joined, cookies by what no value holds (RFC 9110, section 5.3)."""
        key = _known_names.get(name) or _lower(name)
        headers = self._headers
        if key in headers:
            headers[key] += (b"\n" if key == b"set-cookie" else b", ") + value
        else:
            headers[key] = value

    def on_headers_complete(self) -> None:
        """Hand on the head of a final response; interim ones (1xx) are passed over."""
        headers, self._headers = self._headers, {}
        status = self._parser.get_status_code()
        if status < _FIRST_FINAL or self._handler is None or self._whole:
            return
        self._in_head = False
        self._length_known = (
            b"content-length" in headers or b"transfer-encoding" in headers or status in (204, 304)
        )
        self._handler.on_head(status, headers)

    def on_body(self, body: bytes) -> None:
        """Hand on a piece of the body."""
        if self._handler is not None and not self._whole:
            self._handler.on_data(body)

    def on_message_complete(self) -> None:
        """The answer is whole; an interim response has no body and ends here too."""
        if not self._in_head:
            self._whole = True
            self._keep = self._parser.should_keep_alive()

    def _complete(self, *, keep: bool) -> None:
        self._whole = False
        call, self.call = self.call, None
        self._handler = None
        self.served += 1
        if self._headers:
            self._headers = {}  # trailers, which are dropped
        if keep and not self.closed:
            if self._paused:
                self.resume()
            self.pool.release(self)
        else:
            self.close()
        if call is not None:
            call.finished()


def _lower(name: bytes) -> bytes:
    key = name.lower()
    if len(_known_names) < _KNOWN and len(name) <= 64:
        _known_names[name] = key
    return key
