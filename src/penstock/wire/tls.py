"""TLS as bytes in, bytes out: an `ssl.SSLObject` over two memory BIOs.

uvloop's own TLS keeps up to 236 kB a connection; here the buffers hold what is in flight and nothing more.
"""

from __future__ import annotations

import ssl

# One TLS record (RFC 8446, section 5.1): a read never gives more, and a larger buffer would be made for each.
READ_BYTES = 16384


class TlsPipe:
    """One side of one TLS connection. Call `feed` with what the peer sent, send on what `outgoing` returns.

    `established`: the handshake is done. `ended`: the peer has said close_notify, so that its stream is whole;
    a connection that ends without it was cut (RFC 8446, section 6.1).
    """

    __slots__ = ("_incoming", "_object", "_outgoing", "ended", "established")

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        server_side: bool,
        server_hostname: str | None = None,
        session: ssl.SSLSession | None = None,
    ) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=server_side,
            server_hostname=server_hostname,
            session=session,
        )
        self.established = False
        self.ended = False

    def handshake(self) -> bool:
        """Go on with the handshake; True once it is done. Raises ssl.SSLError where it fails."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.established = True
        return True

    def feed(self, data: bytes) -> bytes:
        """The plain bytes that `data` completes; empty during the handshake. Raises ssl.SSLError.

        Look at `ended` afterwards: the last plain bytes and close_notify may have come together.
        """
        self._incoming.write(data)
        if not self.established and not self.handshake():
            return b""
        first = self._read()
        if len(first) < READ_BYTES and not self._incoming.pending:
            return first
        pieces = [first]
        while piece := self._read():
            pieces.append(piece)
        return b"".join(pieces)

    def _read(self) -> bytes:
        try:
            data = self._object.read(READ_BYTES)
        except ssl.SSLWantReadError:
            return b""
        if not data:  # SSLObject's way of telling close_notify
            self.ended = True
        return data

    def write(self, data: bytes) -> None:
        """Encrypt; the result waits in `outgoing`. Only after the handshake."""
        self._object.write(data)

    def outgoing(self) -> bytes:
        """What has to be sent to the peer now; empty if nothing."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def close(self) -> None:
        """Say close_notify, if the connection got that far; the result waits in `outgoing`."""
        if self.established:
            try:
                self._object.unwrap()
            except ssl.SSLError:
                return

    @property
    def session(self) -> ssl.SSLSession | None:
        """The session to resume with at the next connection to the same peer."""
        return self._object.session
