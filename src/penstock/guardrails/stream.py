"""A stream under guards: events go out as they came, except for texts that guards change, and hold back.

An event waits until all of its texts are decided, and with it all that follow, so that their order stays.
What waits is never more than the guards need to see (see window.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, cast

import msgspec

from penstock.core.screen_plan import Guard
from penstock.guardrails.cutting import Cutter
from penstock.guardrails.docket import Docket
from penstock.guardrails.looking import quoted, screened_json, screened_text
from penstock.guardrails.texts.events import Key, Piece, Reader
from penstock.guardrails.window import Bit, Whole, Window
from penstock.wire.json_paths import Path, patched

_decode = msgspec.json.Decoder(dict[str, Any]).decode
# Of what has gone out, for whoever must end the stream in its own words.
MAX_RELEASED = 4 * 1024 * 1024
TOO_MUCH = "HELD_BACK_TOO_MUCH"
MAX_HELD = 32 * 1024 * 1024


def decode_event(payload: bytes) -> dict[str, Any] | None:
    """An event's JSON object; None where it has none, and so no text."""
    if payload[:1] != b"{":
        return None
    try:
        return _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


class _Event:
    """An event that waits, with its texts' places."""

    __slots__ = ("bits", "data", "places")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.places: list[Path] = []
        self.bits: list[Bit] = []

    def decided(self) -> bool:
        return all(bit.new is not None for bit in self.bits)


class GuardedStream:
    """One stream. After each call `docket.blocked` says whether anything more may go out: then nothing does."""

    __slots__ = (
        "_cutter",
        "_docket",
        "_guards",
        "_held",
        "_open",
        "_read",
        "_restore",
        "_size",
        "_waiting",
        "released",
    )

    def __init__(
        self, guards: Sequence[Guard], docket: Docket, read: Reader, cutter: Cutter, *, restore: bool
    ) -> None:
        self._guards = guards
        self._docket = docket
        self._read = read
        self._cutter = cutter
        self._restore = restore
        self._waiting: deque[_Event] = deque()
        self._open: dict[Key, Window | Whole] = {}
        self._held = 0
        self._size = 0
        self.released: list[bytes] | None = []

    def feed(self, data: bytes) -> bytes:
        """What of the stream may go out now that `data` has come."""
        if self._stopped():
            return b""
        for event in self._cutter.feed(data):
            self._take(event)
            if self._stopped():
                break
        return self._give()

    def finish(self, last: bytes) -> bytes:
        """The rest, at the stream's end; `last` is its last piece. Half an event at the end is left out."""
        if self._stopped():
            return b""
        for event in self._cutter.feed(last):
            self._take(event)
        self._close_all()
        rest = self._give()
        return rest if self._stopped() else rest + self._cutter.end()

    def _stopped(self) -> bool:
        return self._docket.blocked is not None

    def _take(self, data: bytes) -> None:
        event = _Event(data)
        self._waiting.append(event)
        self._held += len(data)
        payload = self._cutter.payload(data)
        value = decode_event(payload)
        if value is not None:
            pieces, closes = self._read(value)
            for piece in pieces:
                event.places.append(piece.path)
                event.bits.append(self._bit(piece))
            if closes:
                self._close_all()
        if self._held > MAX_HELD and not self._stopped():
            self._docket.failed(self._guards[0], TOO_MUCH)
            self._close_all()

    def _bit(self, piece: Piece) -> Bit:
        key, _, kind, role, text = piece
        if kind not in ("text", "arguments"):
            bit = Bit(text, 0)
            screened = screened_json if kind == "whole_json" else screened_text
            bit.new = screened(self._guards, text, role, self._docket, restore=self._restore)
            return bit
        found = self._open.get(key)
        if found is None:
            if kind == "text":
                self._close_texts(key[0])
                found = Window(self._guards, role, self._docket, restore=self._restore)
            else:
                found = Whole(self._guards, role, self._docket, restore=self._restore)
            self._open[key] = found
        return found.add(text)

    def _close_texts(self, choice: object) -> None:
        """Another text begins in this choice: those before it are complete."""
        for key in [key for key, each in self._open.items() if key[0] == choice and isinstance(each, Window)]:
            self._open.pop(key).close()

    def _close_all(self) -> None:
        for each in self._open.values():
            each.close()
        self._open.clear()

    def _give(self) -> bytes:
        out: list[bytes] = []
        waiting = self._waiting
        if self._docket.blocked is None:
            while waiting and waiting[0].decided():
                event = waiting.popleft()
                self._held -= len(event.data)
                out.append(self._cutter.written(self._rewritten(event)))
        data = out[0] if len(out) == 1 else b"".join(out)
        if data and self.released is not None:
            self._size += len(data)
            self.released.append(data)
            if self._size > MAX_RELEASED:
                self.released = None
        return data

    def _rewritten(self, event: _Event) -> bytes:
        """The event with its texts as they became; as it came where none was changed."""
        pairs = zip(event.places, event.bits, strict=True)
        changed = {path: bit.new for path, bit in pairs if bit.new is not None and bit.new != bit.text}
        if not changed:
            return event.data
        payload = self._cutter.payload(event.data)
        edits = {path: quoted(new) for path, new in changed.items()}
        edits |= likelihoods(_decode(payload), list(changed))
        return self._cutter.rebuilt(event.data, patched(payload, edits))


def likelihoods(value: Any, paths: Sequence[Path]) -> dict[Path, bytes]:
    """Edits that take out log probabilities beside changed texts: they spell the tokens that were there."""
    edits: dict[Path, bytes] = {}
    for path in paths:
        at: Any = value
        for depth in range(len(path)):
            if isinstance(at, dict):
                for name in ("logprobs", "logprobsResult"):
                    there = cast("dict[str, Any]", at).get(name)
                    if there:
                        edits[*path[:depth], name] = b"[]" if isinstance(there, list) else b"null"
            at = cast("Any", at)[path[depth]]
    return edits
