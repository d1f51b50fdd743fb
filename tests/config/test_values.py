"""Text to values: what is taken, what it becomes, and what is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.config.document import nanousd
from penstock.config.values import (
    BadValueError,
    address,
    decimal,
    duration,
    expand,
    is_loopback,
    network,
    size,
    url,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", 1), ("32MB", 32_000_000), ("32 MB", 32_000_000), ("1KiB", 1024), ("2gib", 2 * 1024**3), ("7b", 7)],
)
def test_sizes(text: str, expected: int) -> None:
    """Powers of ten and of two are told apart by the i."""
    assert size(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("30s", 30), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000)]
)
def test_durations(text: str, expected: int) -> None:
    """Seconds come out."""
    assert duration(text) == expected


@pytest.mark.parametrize("text", ["", "MB", "-1", "1.5MB", "1 M B", "32XB", "1e3", "٣"])
def test_what_is_no_size(text: str) -> None:
    """Fractions, signs, unknown units and foreign digits are refused."""
    with pytest.raises(BadValueError):
        size(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("3", 3_000_000_000),
        ("0.3", 300_000_000),
        ("3.750000000000", 3_750_000_000),
        ("1e-9", 1),
        ("1e2", 10**11),
    ],
)
def test_money_is_exact(text: str, expected: int) -> None:
    """An amount is a whole number of nano-dollars."""
    assert nanousd(decimal(text)) == expected


@pytest.mark.parametrize("text", ["-1", "0.0000000001", "NaN", "Infinity", "1e30", "1e999999", "x", ""])
def test_what_is_no_money(text: str) -> None:
    """Nothing negative, infinite, absurd or finer than a nano-dollar."""
    with pytest.raises(BadValueError):
        decimal(text)


@given(st.integers(min_value=0, max_value=10**20))
def test_every_nano_dollar_survives(nano: int) -> None:
    """Writing an amount down and reading it again loses nothing."""
    assert nanousd(decimal(format(Decimal(nano).scaleb(-9), "f"))) == nano


@pytest.mark.parametrize("text", ["127.0.0.1:4000", "[::1]:4000", "localhost:0", "gw.example.com:65535"])
def test_addresses(text: str) -> None:
    """IPv4, IPv6 in brackets, and names."""
    assert address(text) == text


@pytest.mark.parametrize(
    "text", ["", "4000", ":4000", "::1:4000", "127.0.0.1", "1.2.3:80", "h:70000", "h:-1", "a b:1"]
)
def test_what_is_no_address(text: str) -> None:
    """No port, no host, no brackets, no such port."""
    with pytest.raises(BadValueError):
        address(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("127.9.9.9:1", True), ("[::1]:1", True), ("LocalHost:1", True), ("h:1", False)]
)
def test_loopback(text: str, expected: bool) -> None:
    """Only what this machine alone reaches is loopback."""
    assert is_loopback(text) is expected


@pytest.mark.parametrize(
    "text",
    ["ftp://h", "http://", "h/v1", "http://h/?q", "http://h/#f", "http://u:p@h/", "http://h:99999",
     "http://[::1", "http://a b",  "http://169.254.169.254/", "http://metadata.google.internal./x", "http://h\n"],
)  # fmt: skip
def test_what_is_no_base_url(text: str) -> None:
    """Other schemes, credentials, queries and metadata services are refused."""
    with pytest.raises(BadValueError):
        url(text)


def test_base_urls_lose_their_trailing_slash() -> None:
    """So that joining a path never doubles it."""
    assert url("https://h:1/v1/") == "https://h:1/v1"


def test_networks() -> None:
    """An address alone is a network of one."""
    assert network("10.0.0.1") == "10.0.0.1/32"
    with pytest.raises(BadValueError):
        network("10.0.0.1/8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", "a"), ("${A}", "1"), ("x${A}y${A}", "x1y1"), ("${B:-b}", "b"), ("${E:-e}", "e"), ("$${A}", "${A}"),
     ("$5", "$5"),  ("${env:A}", "1"), ("${B:-}", "")],
)  # fmt: skip
def test_references_expand(text: str, expected: str) -> None:
    """Variables, defaults for unset and empty ones, and the escape."""
    assert expand(text, {"A": "1", "E": ""}) == expected


@pytest.mark.parametrize("text", ["${B}", "${E}", "${", "${1}", "${A", "${file:/x}", "${A-b}"])
def test_references_that_do_not_expand(text: str) -> None:
    """Unset, empty, malformed, and files outside secrets."""
    with pytest.raises(BadValueError):
        expand(text, {"A": "1", "E": ""})
