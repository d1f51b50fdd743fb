"""Seeded byte streams for the differential test: requests with one or two mutations, named by them."""

# ruff: noqa: E501 - tables of bytes read better in rows
from __future__ import annotations

import random
from collections.abc import Iterator

_METHODS = [b"GET", b"POST", b"HEAD", b"PUT", b"get", b"BREW", b"G@T", b"", b"TRACE", b"CONNECT", b"OPTIONS"]
_TARGETS = [
    b"/", b"/a/b?c=d", b"/a%20b", b"/%zz", b"//a", b"/../a", b"*", b"a", b"", b"/a b", b"/a\tb", b"/\x00",
    b"/\xff", b"/a#b", b"http://x/a", b"http:///a", b"ftp://x/", b"/" + b"a" * 9000, b'/"<>|^`{}',
]  # fmt: skip
_VERSIONS = [
    b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/3.0", b"http/1.1", b"HTTP/1.", b"HTTP/1",
    b"HTTP/01.1", b"HTTP/1.10", b"RTSP/1.0", b"", b"HTTP/1.1 ",
]  # fmt: skip
_HOSTS = [b"Host: x", b"Host:x", b"Host:", b"Host: x y", b"Host: x/y", b"Host: [::1]:8", b"Host: x:a", b"", b"Host : x",
          b"Host: x\r\nHost: x", b"Host: x\r\nHost: y", b"hOsT: x ", b"Host:\tx"]  # fmt: skip
_FIELDS = [
    b"A: b", b"A:", b"A: ", b": b", b"A", b"A b: c", b"A\t: b", b"A : b", b" A: b", b"A: b\r\n c", b"A: b\r\n\tc",
    b"A: b\nB: c", b"A: b\rB: c", b"A: \x00", b"A: \x01", b"A: \x7f", b"A: \xff", b"A\x00: b", b"A\xe9: b", b"A(: b",
    b"A_b: c", b"A: " + b"b" * 40_000, b"Connection: close", b"Connection: keep-alive", b"Connection: Upgrade\r\nUpgrade: h2c",
    b"Expect: tea", b"Content-Type: a\r\nContent-Type: b", b"Authorization: a\r\nAuthorization: b",
    b"Cookie: a\r\nCookie: b", b"X-Many: 1\r\n" * 150 + b"A: b",
]  # fmt: skip
_FRAMINGS: list[tuple[bytes, bytes]] = [
    (b"", b""),
    *[(b"Content-Length: " + n, b"hello") for n in (b"5", b"05", b" 5", b"5 ", b"+5", b"-5", b"5,5", b"5, 5", b"5 5",
      b"0x5", b"", b"5.0", b"99999999999999999999", b"5\r\nContent-Length: 5", b"5\r\nContent-Length: 6")],
    *[(b"Transfer-Encoding: " + n, b"5\r\nhello\r\n0\r\n\r\n") for n in (b"chunked", b"Chunked", b"xchunked", b"identity",
      b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"\x0bchunked", b"\tchunked", b"chunked ", b"",
      b"chunked\r\nTransfer-Encoding: chunked", b"chunked\r\nContent-Length: 5")],
    *[(b"Transfer-Encoding: chunked", n) for n in (
      b"5;a=b\r\nhello\r\n0\r\n\r\n", b"5;a\r\nhello\r\n0\r\n\r\n", b'5;a="b"\r\nhello\r\n0\r\n\r\n', b"5 \r\nhello\r\n0\r\n\r\n",
      b"5 ;a\r\nhello\r\n0\r\n\r\n", b" 5\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n",
      b"-5\r\nhello\r\n0\r\n\r\n", b"5\nhello\n0\n\n", b"5\r\nhello0\r\n\r\n", b"5\r\nhellooo\r\n0\r\n\r\n", b"\r\nhello\r\n0\r\n\r\n",
      b"00005\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n", b"5\r\nhello\r\n0\r\nA: b\r\n\r\n", b"5\r\nhello\r\n0\r\nA\r\n\r\n",
      b"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n", b"5;a\nb\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r\n00\r\n\r\n",
      b"5\r\nhello\n0\r\n\r\n", b"zz\r\n")],
]  # fmt: skip
_ENDS = [b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\r\r\n"]
_LEADS = [b"", b"\r\n", b"\n", b"\r\n\r\n", b" ", b"\r", b"\x00", b"\xef\xbb\xbf"]


def streams(seed: int, count: int) -> Iterator[tuple[str, bytes, list[int]]]:
    """`count` streams: which parts were mutated and how, the bytes, and where they are cut for sending."""
    draw = random.Random(seed)
    parts = {
        "method": _METHODS,
        "target": _TARGETS,
        "version": _VERSIONS,
        "host": _HOSTS,
        "field": _FIELDS,
        "framing": _FRAMINGS,
        "end": _ENDS[3:],
        "lead": _LEADS,
    }
    for _ in range(count):
        chosen: dict[str, int] = {}
        for part in draw.sample(sorted(parts), draw.choice([1, 1, 1, 2])):
            chosen[part] = draw.randrange(len(parts[part]))
        data = _build(chosen)
        cuts = sorted(draw.randrange(1, len(data)) for _ in range(draw.choice([0, 0, 1, 3])) if len(data) > 1)
        yield "+".join(f"{part}:{number}" for part, number in sorted(chosen.items())), data, cuts


def _build(chosen: dict[str, int]) -> bytes:
    method = _METHODS[chosen.get("method", 1)]
    target, version = _TARGETS[chosen.get("target", 0)], _VERSIONS[chosen.get("version", 0)]
    framing, body = _FRAMINGS[chosen.get("framing", 1)]
    end = _ENDS[3:][chosen.get("end", 0)]
    lines = [b" ".join(part for part in (method, target, version) if part), _HOSTS[chosen.get("host", 0)]]
    if "field" in chosen:
        lines.append(_FIELDS[chosen["field"]])
    lines += [framing]
    return _LEADS[chosen.get("lead", 0)] + end.join([line for line in lines if line]) + end * 2 + body


def describe(name: str) -> str:
    """One mutation in words: the part and the bytes."""
    part, _, number = name.partition(":")
    table: dict[str, object] = {
        "method": _METHODS, "target": _TARGETS, "version": _VERSIONS, "host": _HOSTS, "field": _FIELDS,
        "framing": _FRAMINGS, "end": _ENDS[3:], "lead": _LEADS,
    }  # fmt: skip
    values = table[part]
    assert isinstance(values, list)
    return f"{part} {str(values[int(number)])[:70]}"  # pyright: ignore[reportUnknownArgumentType]
