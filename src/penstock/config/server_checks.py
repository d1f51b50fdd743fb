"""What must agree in `server`: who asks control, and who is asked."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from penstock.config.document import Server

SAME_ON_BOTH = "set it to the same secret on both machines; `openssl rand -base64 32` makes one"


def server_problems(server: Server) -> Iterator[tuple[str, str, str]]:
    """Path, message and hint of each problem."""
    for key in ("control_url", "control_listen"):
        if getattr(server, key) is not None and server.control_token is None:
            yield f"server.{key}", "needs server.control_token", SAME_ON_BOTH
    if server.control_url is not None and server.control_listen is not None:
        hint = "give the machine that runs control a file without control_url"
        yield "server.control_url", "a machine that is asked by others cannot ask control itself", hint
    if server.control_url is not None:
        parts = urlsplit(server.control_url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            hint = "use https://, with server.ca_file where its authority is your own"
            yield "server.control_url", "control on another machine is asked over TLS alone", hint
    if server.control_listen is not None and server.tls is None:
        host = server.control_listen.rpartition(":")[0].strip("[]")
        if not is_loopback(host):
            hint = "set server.tls, with a certificate for the name in the others' control_url"
            yield "server.control_listen", "other machines are answered over TLS alone", hint


def is_loopback(host: str) -> bool:
    """Whether a host is this machine for sure."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
