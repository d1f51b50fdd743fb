"""What must agree in `server`: who asks control, and who is asked."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from penstock.config.document import Server

SAME_ON_BOTH = "set it to the same secret on both machines; `openssl rand -base64 32` makes one"


def server_problems(server: Server) -> Iterator[tuple[str, str, str]]:
    """Path, message and hint of each problem."""
    yield from _origin_problems(server.cors.origins)
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


def _origin_problems(origins: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    named = list(origins)
    for at, origin in enumerate(named):
        path = f"server.cors.origins[{at}]"
        if origin == "*":
            if len(named) > 1:
                yield (
                    path,
                    "`*` stands for every page, so that the others say nothing",
                    "name the pages, or `*` alone",
                )
            continue
        found = urlsplit(origin)
        host, port = found.hostname or "", ""
        try:
            port = f":{found.port}" if found.port is not None else ""
        except ValueError:
            host = ""
        name = f"[{host}]" if ":" in host else host
        if not found.scheme or not host or origin != f"{found.scheme}://{name}{port}":
            hint = "as a browser says it: scheme, host in small letters, port where it is not the usual one"
            yield path, f"{origin!r} is no origin such as https://app.example.com", hint


def is_loopback(host: str) -> bool:
    """Whether a host is this machine for sure."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
