"""Lines of JSON: cut anywhere, the same lines and every byte."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.wire.ndjson import LineTooLongError, NdjsonDecoder, text_of

STREAMS = st.lists(
    st.sampled_from([b'{"a":1}', b"\n", b"\r\n", b"\xe2\x80\xa8", b"\x0b", b" ", b"{"]), max_size=30
)


@given(STREAMS, st.lists(st.integers(0, 200), max_size=8))
def test_any_cut_gives_the_same_lines(pieces: list[bytes], cuts: list[int]) -> None:
    """However a stream is cut, its lines are those between newlines, and together they are the stream."""
    stream = b"".join(pieces)
    decoder = NdjsonDecoder()
    marks = sorted({0, len(stream), *[cut for cut in cuts if cut < len(stream)]})
    found = [line for a, b in pairwise(marks) for line in decoder.feed(stream[a:b])]
    whole = stream.split(b"\n")
    assert found == [line + b"\n" for line in whole[:-1]]
    assert decoder.rest() == whole[-1]
    assert b"".join(found + decoder.finish()) == stream


def test_a_line_has_a_bound() -> None:
    """A stream that never ends its line is refused rather than kept."""
    decoder = NdjsonDecoder(limit_bytes=10)
    decoder.feed(b"123456")
    with pytest.raises(LineTooLongError):
        decoder.feed(b"78901")


def test_the_line_without_its_end() -> None:
    """A line's end and blank lines are no content."""
    assert [text_of(line) for line in (b"{}\r\n", b"{}", b"\n", b"\r\n")] == [b"{}", b"{}", b"", b""]
