"""TlsPipe against the standard library's socket."""

from __future__ import annotations

import socket
import threading

from penstock.wire.tls import TlsPipe
from tests.transport.certificates import Authority


def test_a_real_tls_socket_talks_to_the_pipe_in_any_pieces() -> None:
    """Handshake, a large body each way and close_notify, fed byte by byte and in blocks."""
    authority = Authority()
    for step in (1, 7, 5000):
        ours, theirs = socket.socketpair()
        body = b"z" * (300 if step == 1 else 200_000)
        context = authority.server("localhost")

        def serve(sock: socket.socket = theirs, size: int = len(body)) -> None:
            with context.wrap_socket(sock, server_side=True) as tls:  # noqa: B023 - joined below
                got = b""
                while len(got) < size:
                    got += tls.recv(65536)
                tls.sendall(got)
                tls.unwrap().close()

        thread = threading.Thread(target=serve)
        thread.start()
        pipe = TlsPipe(authority.client(), server_side=False, server_hostname="localhost")
        pipe.handshake()
        ours.sendall(pipe.outgoing())
        sent, back = False, b""
        while not pipe.ended:
            data = ours.recv(65536)
            for at in range(0, len(data), step):
                back += pipe.feed(data[at : at + step])
            if pipe.established and not sent:
                sent = True
                pipe.write(body)
            ours.sendall(pipe.outgoing())
        pipe.close()
        ours.sendall(pipe.outgoing())
        thread.join()
        ours.close()
        assert back == body
