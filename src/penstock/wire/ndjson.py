"""Newline-delimited JSON: cut a byte stream into whole lines.

Lines are kept as the bytes they came in, line ends included: joining all lines and the rest gives back the
stream. Inside a JSON string a newline is escaped, so that a bare one always ends a line.
"""

from __future__ import annotations


class LineTooLongError(ValueError):
    """One line is longer than the stream may hold back."""


class NdjsonDecoder:
    """Cuts a stream into lines, at whatever places it arrives cut."""

    __slots__ = ("_limit", "_pieces", "_size")

    def __init__(self, limit_bytes: int = 16 * 1024 * 1024) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._limit = limit_bytes

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, each with its newline."""
        end = data.rfind(b"\n") + 1
        if not end:
            if data:
                self._keep(data)
            return []
        text = b"".join([*self._pieces, data[:end]]) if self._pieces else data[:end]
        lines = [line + b"\n" for line in text.split(b"\n")[:-1]]
        self._pieces, self._size = [], 0
        if end < len(data):
            self._keep(data[end:])
        return lines

    def _keep(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)
        if self._size > self._limit:
            raise LineTooLongError(f"a line is longer than {self._limit} bytes")

    def rest(self) -> bytes:
        """What has arrived of a line that is not complete."""
        return b"".join(self._pieces)

    def finish(self) -> list[bytes]:
        """At the end of the stream: a last line without a newline."""
        rest = self.rest()
        self._pieces, self._size = [], 0
        return [rest] if rest else []


def text_of(line: bytes) -> bytes:
    """The line without its end; empty for a line that only keeps a connection awake."""
    return line.strip(b" \t\r\n")
