"""The gateway's side of TLS towards its clients."""

from __future__ import annotations

import ssl

from penstock.config.document import Tls


def tls_context(tls: Tls | None) -> ssl.SSLContext | None:
    """The server's side of TLS, None where it speaks plain HTTP. Raises OSError, ssl.SSLError."""
    if tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.cert, tls.key)
    return context
