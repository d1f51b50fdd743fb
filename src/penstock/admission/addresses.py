"""Where a request comes from: the connection's peer, or what a trusted proxy says of it."""

from __future__ import annotations

import ipaddress

from penstock.core.plan import SourceNetwork
from penstock.ports.http_server import HttpRequest

_MAPPED = 0xFFFF
# A chain longer than this is no proxy's doing.
_LONGEST = 2048
IPV6 = 6


def is_within(address: str, networks: tuple[SourceNetwork, ...]) -> bool:
    """Whether an address lies in one of the networks; what is no address lies in none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    version, number = found.version, int(found)
    if version == IPV6 and number >> 32 == _MAPPED:
        # A socket that takes both families shows IPv4 clients so.
        version, number = 4, number & 0xFFFFFFFF
    for network in networks:  # noqa: SIM110 - compiled, a loop is faster than a generator
        if network.version == version and number & network.mask == network.address:
            return True
    return False


def client_address(http: HttpRequest, trusted: tuple[SourceNetwork, ...]) -> str:
    """The address of the client: the last one in `X-Forwarded-For` that no trusted proxy has.

    Read from its end, because each proxy appends whom it saw, and what stands before the first proxy that is
    not trusted may be anybody's invention. An entry that is no address ends the walk at who reported it.
    """
    peer = http.peer
    if not trusted or not is_within(peer, trusted):
        return peer
    said = http.headers.get(b"x-forwarded-for", b"")
    if not said or len(said) > _LONGEST:
        return peer
    client = peer
    for entry in reversed(said.decode("latin-1").split(",")):
        address = _bare(entry.strip())
        if address is None:
            return client
        client = address
        if not is_within(address, trusted):
            return client
    return client


def client_scheme(http: HttpRequest, trusted: tuple[SourceNetwork, ...], *, tls: bool) -> str:
    """`https` where the client's connection is encrypted, as far as we or a trusted proxy know; else `http`."""
    if tls:
        return "https"
    if trusted and is_within(http.peer, trusted):
        said = http.headers.get(b"x-forwarded-proto", b"").rpartition(b",")[2].strip().lower()
        return "https" if said == b"https" else "http"
    return "http"


def _bare(entry: str) -> str | None:
    """An entry's address without brackets and port, None where it is none."""
    if entry.startswith("["):
        entry = entry[1:].partition("]")[0]
    elif entry.count(":") == 1:
        entry = entry.partition(":")[0]
    try:
        return str(ipaddress.ip_address(entry))
    except ValueError:
        return None
