"""TLS between an asyncio transport and a protocol, for both sides, over wire.tls.TlsPipe.

asyncio's and uvloop's own TLS keep large buffers for each connection; this layer keeps only what is in flight.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from typing import cast

from penstock.wire.tls import TlsPipe

HANDSHAKES_PER_TURN = 4


class HandshakeTurns:
    """Lets so many steps of handshakes run in one turn of the event loop; each costs up to a millisecond."""

    __slots__ = ("_call_soon", "_left", "_steps")

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        self._call_soon = call_soon
        self._left = HANDSHAKES_PER_TURN
        self._steps: deque[Callable[[], None]] = deque()

    def run(self, step: Callable[[], None]) -> None:
        """Run `step` now, or in one of the next turns."""
        if self._left == HANDSHAKES_PER_TURN:
            self._call_soon(self._turn)
        if self._left > 0:
            self._left -= 1
            step()
        else:
            self._steps.append(step)

    def _turn(self) -> None:
        self._left = HANDSHAKES_PER_TURN
        if self._steps:
            self._call_soon(self._turn)
        while self._steps and self._left > 0:
            self._left -= 1
            self._steps.popleft()()


class TlsLayer(asyncio.Transport, asyncio.Protocol):
    """A protocol to the socket's transport, a transport to the protocol above.

    `above` hears `connection_made` once the handshake is done, then `established` is called. A handshake that
    fails, or ends before that, goes to `failed` (once) and `above` hears nothing.
    """

    __slots__ = ("_above", "_closing", "_failed", "_held", "_made", "_pipe", "_transport", "_turns", "deadline")

    def __init__(
        self,
        pipe: TlsPipe,
        above: asyncio.Protocol,
        turns: HandshakeTurns,
        failed: Callable[[TlsLayer, Exception], None],
        established: Callable[[], None] | None = None,
    ) -> None:
        self._pipe = pipe
        self._above = above
        self._turns = turns
        self._failed: Callable[[TlsLayer, Exception], None] | None = failed
        self._made = established
        self._transport: asyncio.Transport | None = None
        self._held = b""
        self._closing = False
        self.deadline = 0.0

    # --- the socket's side ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake, unless it was called off before the connection stood."""
        self._transport = cast("asyncio.Transport", transport)
        if self._closing:
            self._transport.abort()
            return
        self._turns.run(self._step)

    def data_received(self, data: bytes) -> None:
        """Decrypt and hand on, or go on with the handshake in its turn."""
        if not self._pipe.established:
            waiting, self._held = bool(self._held), self._held + data
            if not waiting:
                self._turns.run(self._step)
            return
        self._take(data)

    def _step(self) -> None:
        if self._closing or self._transport is None:
            return
        data, self._held = self._held, b""
        was = self._pipe.established
        try:
            plain = self._pipe.feed(data) if data else b""
            if not data:
                self._pipe.handshake()
        except ssl.SSLError as error:
            self._flush()
            self._fail(error)
            return
        self._flush()
        if self._pipe.established and not was:
            self._failed = None
            self._above.connection_made(self)
            if self._made is not None:
                self._made()
                self._made = None
        if plain:
            self._above.data_received(plain)

    def _take(self, data: bytes) -> None:
        if self._closing:
            return
        try:
            plain = self._pipe.feed(data)
        except ssl.SSLZeroReturnError:
            self._end()
            return
        except ssl.SSLError:
            self.abort()
            return
        self._flush()
        if plain:
            self._above.data_received(plain)
        if self._pipe.ended:
            self._end()

    def _end(self) -> None:
        """The peer has said close_notify; a protocol that wants to write on returns True."""
        if self._pipe.established and not self._above.eof_received() and self._transport is not None:
            self.close()

    def eof_received(self) -> bool:
        """The peer's FIN: after close_notify nothing new, without it a cut."""
        if not self._pipe.established:
            self._fail(ConnectionResetError("the peer closed the connection during the TLS handshake"))
        # Without close_notify it was a cut: whoever is above hears only that the connection is lost.
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self._transport = None
        self._closing = True
        if self._failed is not None:
            self._fail(exc or ConnectionResetError("the connection was closed during the TLS handshake"))
        elif self._pipe.established:
            self._above.connection_lost(exc)

    def _fail(self, error: Exception) -> None:
        failed, self._failed = self._failed, None
        self._closing = True
        if self._transport is not None:
            self._transport.close()
        if failed is not None:
            failed(self, error)

    def pause_writing(self) -> None:
        """Pass it on."""
        if self._pipe.established:
            self._above.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        if self._pipe.established:
            self._above.resume_writing()

    def _flush(self) -> None:
        if self._transport is not None and (out := self._pipe.outgoing()):
            self._transport.write(out)

    # --- the side of the protocol above ---------------------------------------------------------------

    @property
    def established(self) -> bool:
        """Whether the handshake is done."""
        return self._pipe.established

    @property
    def session(self) -> ssl.SSLSession | None:
        """The session to resume with."""
        return self._pipe.session

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send."""
        if self._transport is not None and not self._closing and data:
            self._pipe.write(bytes(data))
            self._transport.write(self._pipe.outgoing())

    def can_write_eof(self) -> bool:
        """Half of the connection can be closed: by close_notify and FIN."""
        return True

    def write_eof(self) -> None:
        """Say close_notify and close our half."""
        if self._transport is not None and not self._closing:
            self._pipe.close()
            self._flush()
            self._closing = True  # what the peer still sends is dropped undecrypted
            self._transport.write_eof()

    def close(self) -> None:
        """Send what is buffered, say close_notify and close."""
        if self._transport is not None and not self._closing:
            self._closing = True
            self._pipe.close()
            self._flush()
            self._transport.close()

    def abort(self) -> None:
        """Reset."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    def is_closing(self) -> bool:
        """Whether it is closed or closing."""
        return self._closing

    def pause_reading(self) -> None:
        """Stop reading from the socket; at most what one read brought is still handed on."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if self._transport is not None:
            self._transport.resume_reading()

    def get_write_buffer_size(self) -> int:
        """Encrypted bytes that the socket has not yet taken."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """See asyncio."""
        if self._transport is not None:
            self._transport.set_write_buffer_limits(high=high, low=low)

    def get_extra_info(self, name: str, default: object = None) -> object:
        """See asyncio."""
        return self._transport.get_extra_info(name, default) if self._transport is not None else default
