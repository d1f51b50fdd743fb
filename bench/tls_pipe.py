"""TLS over memory BIOs for the bare relay and the metered upstream: bytes in, bytes out, no transport."""

from __future__ import annotations

import ssl
from collections.abc import Callable

READ_BYTES = 65536


class TlsPipe:
    """One end of a TLS connection; `send` is called with each piece of ciphertext for the peer."""

    __slots__ = ("_incoming", "_object", "_outgoing", "_send", "ready")

    def __init__(
        self, context: ssl.SSLContext, send: Callable[[bytes], object], *, server_side: bool, host: str = ""
    ) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=host or None
        )
        self._send = send
        self.ready = False

    def start(self) -> None:
        """Begin (or go on with) the handshake."""
        try:
            self._object.do_handshake()
            self.ready = True
        except ssl.SSLWantReadError:
            pass
        self._flush()

    def feed(self, data: bytes) -> bytes:
        """Take ciphertext; return the plain bytes that it completes."""
        self._incoming.write(data)
        if not self.ready:
            self.start()
            if not self.ready:
                return b""
        plain = b""
        try:
            while piece := self._object.read(READ_BYTES):
                plain += piece
                if not self._incoming.pending and len(piece) < READ_BYTES:
                    break
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return plain

    def write(self, plain: bytes) -> None:
        """Encrypt and send."""
        self._object.write(plain)
        self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._send(self._outgoing.read())
