"""An array that arrives cut anywhere gives its elements one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.wire.json_array import ArrayFormatError, JsonArrayDecoder, JsonArrayWriter
from penstock.wire.sse import EventTooLargeError

VALUES = st.recursive(
    st.none() | st.integers() | st.text(alphabet='a"\\[]{},é\n', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def _read(text: bytes, sizes: list[int]) -> list[bytes]:
    decoder = JsonArrayDecoder()
    found: list[bytes] = []
    at = turn = 0
    while at < len(text):
        size = sizes[turn % len(sizes)]
        found += decoder.feed(text[at : at + size])
        at, turn = at + size, turn + 1
    assert decoder.finish() == b""
    return found


@given(
    st.lists(VALUES, max_size=5),
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
    st.sampled_from([None, 1]),
)
def test_elements_are_the_same_wherever_the_bytes_are_cut(
    values: list[Any], sizes: list[int], indent: int | None
) -> None:
    """Brackets, commas and quotes inside strings are no borders."""
    text = json.dumps(values, indent=indent, ensure_ascii=False).encode()
    assert [json.loads(each) for each in _read(b" \r\n" + text + b"\n", sizes)] == values


@given(st.lists(VALUES, max_size=4))
def test_what_the_writer_writes_is_an_array(values: list[Any]) -> None:
    """None, one or many elements."""
    writer = JsonArrayWriter()
    text = b"".join([writer.write(json.dumps(each).encode()) for each in values]) + writer.end()
    assert json.loads(text) == values


@pytest.mark.parametrize("text", [b"{}", b"x", b"[1]2", b"[}", b"[1]]"])
def test_what_is_no_array_is_refused(text: bytes) -> None:
    """The error says so instead of losing bytes."""
    with pytest.raises(ArrayFormatError):
        JsonArrayDecoder().feed(text)


def test_an_element_that_never_ends_is_bounded() -> None:
    """One element may not grow without limit, and the rest of a cut array is told."""
    decoder = JsonArrayDecoder(limit_bytes=100)
    assert decoder.feed(b'[{"a":1},{"b":') == [b'{"a":1}']
    with pytest.raises(EventTooLargeError):
        decoder.feed(b"1" * 200)
    cut = JsonArrayDecoder()
    cut.feed(b'[{"a":')
    assert cut.finish() == b'{"a":'
