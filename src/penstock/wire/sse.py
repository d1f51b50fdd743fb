"""Server-sent events (WHATWG HTML, section 9.2): cut a byte stream into whole events, and read one event.

Events are kept as the bytes they came in, line ends and comments included, so that what nobody changes is
forwarded as received; joining all events and the rest gives back the stream.
"""

from __future__ import annotations

import re
from typing import Final

_BLANK_LINE: Final = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n|\Z))")
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")


class EventTooLargeError(ValueError):
    """One event is larger than the stream may hold back."""


class SseDecoder:
    """Cuts a stream into events, at whatever places it arrives cut."""

    __slots__ = ("_limit", "_rest")

    def __init__(self, limit_bytes: int = 16 * 1024 * 1024) -> None:
        self._rest = b""
        self._limit = limit_bytes

    def feed(self, data: bytes) -> list[bytes]:
        """The events that `data` completes, each with the blank line that ends it."""
        text = self._rest + data if self._rest else data
        events: list[bytes] = []
        start = 0
        if b"\r" in text:
            for found in _BLANK_LINE.finditer(text):
                end = found.end()
                events.append(text[start:end])
                start = end
        else:
            while (end := text.find(b"\n\n", start) + 2) > 1:
                events.append(text[start:end])
                start = end
        self._rest = text[start:] if start else text
        if len(self._rest) > self._limit:
            raise EventTooLargeError(f"an event is larger than {self._limit} bytes")
        return events

    def rest(self) -> bytes:
        """What has arrived of an event that is not complete."""
        return self._rest

    def finish(self) -> list[bytes]:
        """At the end of the stream: a last event that ends in a lone CR, which could not be told before."""
        rest, self._rest = self._rest, b""
        if rest.endswith(b"\r") and _BLANK_LINE.search(rest + b"\0"):
            return [rest]
        self._rest = rest
        return []


def data_of(event: bytes) -> bytes:
    """The event's data: its `data` lines joined by a newline; empty for a comment or an event without data."""
    if event.startswith(b"data: ") and event.find(b"\n") == len(event) - 2 and b"\r" not in event:
        return event[6:-2]
    lines = _LINE_END.split(event.removeprefix(b"\xef\xbb\xbf"))
    return b"\n".join(
        [line[6:] if line[5:6] == b" " else line[5:] for line in lines if line.startswith(b"data:")]
    )


def name_of(event: bytes) -> bytes:
    """The event's type: its last `event` line, empty where it has none."""
    name = b""
    for line in _LINE_END.split(event):
        if line.startswith(b"event:"):
            name = line[7:] if line[6:7] == b" " else line[6:]
    return name


def with_data(event: bytes, data: bytes) -> bytes:
    """The event with its data replaced by one line; names, ids and comments stay."""
    if event.startswith(b"data: ") and event.find(b"\n") == len(event) - 2:
        return b"data: " + data + b"\n\n"
    kept = [line for line in _LINE_END.split(event) if line and not line.startswith(b"data:")]
    return b"\n".join([*kept, b"data: " + data]) + b"\n\n"
