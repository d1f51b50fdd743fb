"""A JSON array whose elements arrive one by one: how Google streams where nobody asked for SSE.

Sans-IO, as `wire/sse.py` is: the decoder cuts at the borders of the top level's elements, wherever the bytes
were cut before, and does not look into them; the writer puts around elements what makes them an array.
"""

from __future__ import annotations

import re

from penstock.wire.sse import EventTooLargeError

# What matters outside of a string, and inside of one.
_MARKS = re.compile(rb'["\[\]{},]')
_STRING = re.compile(rb'["\\]')
_SPACE = b" \t\r\n"


class ArrayFormatError(ValueError):
    """The bytes are not a JSON array."""


class JsonArrayDecoder:
    """Cuts an array into the texts of its elements."""

    __slots__ = ("_at", "_begun", "_closed", "_depth", "_in_string", "_limit", "_text")

    def __init__(self, limit_bytes: int = 16 * 1024 * 1024) -> None:
        self._text = bytearray()
        self._at = 0
        self._depth = 0
        self._in_string = False
        self._begun = False
        self._closed = False
        self._limit = limit_bytes

    def feed(self, data: bytes) -> list[bytes]:
        """The elements that `data` completes. Raises ArrayFormatError, EventTooLargeError."""
        self._text += data
        found: list[bytes] = []
        if not self._begun and not self._begin():
            return found
        start = 0
        at = self._at
        text = self._text
        while not self._closed:
            if self._in_string:
                at = self._skip_string(text, at)
                if self._in_string:
                    break
                continue
            mark = _MARKS.search(text, at)
            if mark is None:
                at = len(text)
                break
            at = mark.end()
            start = self._mark(text, start, mark.start(), found)
        del text[:start]
        self._at = at - start
        if self._closed:
            if text.strip(_SPACE):
                raise ArrayFormatError("something follows the array")
            text.clear()
            self._at = 0
        elif len(self._text) > self._limit:
            raise EventTooLargeError(f"an element is larger than {self._limit} bytes")
        return found

    def _begin(self) -> bool:
        head = self._text.lstrip(_SPACE)
        if head.startswith(b"\xef\xbb\xbf"):
            head = head[3:].lstrip(_SPACE)
        if not head or b"\xef\xbb\xbf".startswith(head):
            return False
        if not head.startswith(b"["):
            raise ArrayFormatError("an array was expected")
        self._begun = True
        self._text = head[1:]
        return True

    def _skip_string(self, text: bytearray, at: int) -> int:
        """Go on behind the string, or to where its next bytes must be."""
        while (mark := _STRING.search(text, at)) is not None:
            if mark[0] == b'"':
                self._in_string = False
                return mark.end()
            if mark.end() == len(text):
                return mark.start()  # what the backslash protects has not arrived
            at = mark.end() + 1
        return len(text)

    def _mark(self, text: bytearray, start: int, at: int, found: list[bytes]) -> int:
        """One bracket, comma or quote; gives where the element at hand begins."""
        kind = bytes(text[at : at + 1])
        if kind == b'"':
            self._in_string = True
        elif kind in b"[{":
            self._depth += 1
        elif self._depth and kind != b",":
            self._depth -= 1
        elif not self._depth:
            if kind == b"}":
                raise ArrayFormatError("a brace closes what was not opened")
            element = text[start:at].strip(_SPACE)
            if element:
                found.append(bytes(element))
            self._closed = kind == b"]"
            return at + 1
        return start

    def finish(self) -> bytes:
        """At the end of the stream: what has arrived of an array that was not closed."""
        rest = bytes(self._text.strip(_SPACE))
        self._text.clear()
        return rest


class JsonArrayWriter:
    """Writes elements as they come; the same bytes whatever their number."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = False

    def write(self, element: bytes) -> bytes:
        """One more element, with what stands before it."""
        lead = b",\r\n" if self._begun else b"["
        self._begun = True
        return lead + element

    def end(self) -> bytes:
        """What closes the array, and opens it where there was no element."""
        return b"]" if self._begun else b"[]"
