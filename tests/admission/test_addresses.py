"""Whose address a request counts as coming from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.admission.addresses import client_address, client_scheme
from penstock.compile.key_bounds import network
from penstock.ports.http_server import HttpRequest

PROXIES = tuple(network(text) for text in ("10.0.0.0/8", "2001:db8::/32"))


def request(peer: str, **headers: str) -> HttpRequest:
    """A request from a peer with these fields."""
    fields = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return HttpRequest(b"GET", "/", b"", fields, b"", 0.0, peer)


@pytest.mark.parametrize(
    ("peer", "said", "client"),
    [
        ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "192.0.2.7, 10.0.0.2", "192.0.2.7"),
        ("10.0.0.1", "1.1.1.1, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
        ("10.0.0.1", "192.0.2.7:4711", "192.0.2.7"),
        ("10.0.0.1", "[2001:db9::1]:80", "2001:db9::1"),
        ("10.0.0.1", "2001:db9::1", "2001:db9::1"),
        ("10.0.0.1", "10.0.0.9", "10.0.0.9"),
        ("10.0.0.1", "192.0.2.7, nonsense", "10.0.0.1"),
        ("10.0.0.1", "nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::ffff:10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("11.0.0.1", "192.0.2.7", "11.0.0.1"),
        ("", "192.0.2.7", ""),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, said: str, client: str) -> None:
    """The chain is read from its end, as far as those who reported it are trusted."""
    assert client_address(request(peer, x_forwarded_for=said), PROXIES) == client


@given(
    st.lists(st.ip_addresses(v=4).map(str) | st.text("0123456789., :[]abc", max_size=12), max_size=6),
    st.ip_addresses(v=4),
)
def test_what_a_client_writes_in_front_changes_nothing(invented: list[str], real: object) -> None:
    """Whatever a client sends, the address that the first trusted proxy saw is the one that counts."""
    chain = ", ".join([*invented, "192.0.2.7"])
    assert client_address(request("10.0.0.1", x_forwarded_for=chain), PROXIES) == "192.0.2.7"
    # Without a trusted proxy in between, nothing that is sent counts at all.
    assert client_address(request(f"11.{real}"[:15], x_forwarded_for=chain), PROXIES) == f"11.{real}"[:15]


@pytest.mark.parametrize(
    ("peer", "said", "tls", "scheme"),
    [
        ("10.0.0.1", "https", False, "https"),
        ("10.0.0.1", "http, https", False, "https"),
        ("10.0.0.1", "", False, "http"),
        ("10.0.0.1", "http", True, "https"),
        ("11.0.0.1", "https", False, "http"),
    ],
)
def test_encryption_is_a_trusted_proxys_word_or_ours(peer: str, said: str, scheme: str, *, tls: bool) -> None:
    """A client cannot pretend that its connection was encrypted."""
    assert client_scheme(request(peer, x_forwarded_proto=said), PROXIES, tls=tls) == scheme
