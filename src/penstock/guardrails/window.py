"""One running text of a stream: what of it may go out, given that more will come.

A text is cut anywhere, and what guards make of it must not depend on where. So a guard sees a window: what
has not gone out, and before it as much of what has as decides about the next finding. Its findings are acted
on once no further text can change them, nor any other that overlaps them; until then their characters stay
here.
"""

from __future__ import annotations

from collections.abc import Sequence

from penstock.core.detector import WHOLE, Role
from penstock.core.screen_plan import Guard
from penstock.guardrails.docket import Docket
from penstock.guardrails.looking import Edit, Found, acted, clean, found_in, screened_json
from penstock.guardrails.vault import BEGUN, LONGEST, PLACEHOLDER


class Bit:
    """A piece of the text as it came with one event; `new` is what it becomes, None until that is known."""

    __slots__ = ("end", "new", "start", "text")

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.start = start
        self.end = start + len(text)
        self.new: str | None = None


class Window:
    """Places are counted from the beginning of the text. `restore`: placeholders become what they stand for."""

    __slots__ = (
        "_base",
        "_bits",
        "_docket",
        "_done",
        "_edits",
        "_guards",
        "_reach",
        "_restore",
        "_role",
        "_text",
    )

    def __init__(self, guards: Sequence[Guard], role: Role, docket: Docket, *, restore: bool) -> None:
        self._guards = [guard for guard in guards if guard.looks_at(role)]
        self._role: Role = role
        self._docket = docket
        self._restore = restore
        reach = max([guard.look_behind for guard in self._guards], default=0)
        self._reach = max(reach, LONGEST) if restore else reach
        self._text = ""  # from `_base` on
        self._base = 0
        self._done = 0  # up to here everything is decided
        self._bits: list[Bit] = []
        self._edits: list[Edit] = []

    def add(self, text: str) -> Bit:
        """More of the text; the bit is told what becomes of it by this or a later call."""
        bit = Bit(text, self._base + len(self._text))
        self._bits.append(bit)
        self._text += clean(text)
        self._settle(closing=False)
        return bit

    def close(self) -> None:
        """The text is complete."""
        if self._bits:
            self._settle(closing=True)

    def _settle(self, *, closing: bool) -> None:
        text, base, docket = self._text, self._base, self._docket
        open_from = len(text) if closing else self._open_from(text)
        if base + open_from <= self._done:
            return
        found = found_in(self._guards, text, self._role, docket, self._done - base)
        restored = self._restored(text)
        if found or restored:
            open_from = self._act(found, restored, open_from)
        self._done = base + open_from
        self._give()
        behind = self._done - self._reach - base
        if behind > 0:
            self._text = text[behind:]
            self._base = base + behind

    def _open_from(self, text: str) -> int:
        """From where on further text may make or change a finding."""
        size = least = len(text)
        for guard in self._guards:
            if guard.settles is not None:
                at = guard.settles.settled(text, self._role)
            else:
                at = 0 if guard.look_behind >= WHOLE else size - guard.look_behind
            least = min(least, at)
        if self._restore:
            begun = BEGUN.search(text, max(0, size - LONGEST))
            if begun is not None:
                least = min(least, begun.start())
        return max(0, least)

    def _restored(self, text: str) -> list[Edit]:
        """Placeholders that have come whole, and what they stand for."""
        vault = self._docket.vault
        if not self._restore or "<" not in text:
            return []
        from_ = self._done - self._base
        pairs = [(each, vault.original(each[0])) for each in PLACEHOLDER.finditer(text, from_)]
        return [Edit(each.start(), each.end(), original) for each, original in pairs if original is not None]

    def _act(self, found: list[Found], restored: list[Edit], open_from: int) -> int:
        """Act on all that is decided; gives from where on nothing is."""
        spans = [(each.start, each.end) for each in found]
        spans += [(each.start, each.end) for each in restored]
        spans.sort()
        start = end = -1
        for span in spans:
            if span[0] >= end:  # apart from those before
                if end > open_from:
                    break
                start, end = span
            else:
                end = max(end, span[1])
        if end > open_from:
            open_from = min(open_from, start)
        base = self._base
        edits = acted([each for each in found if each.end <= open_from], self._text, self._docket)
        taken = [(edit.start, edit.end) for edit in edits]
        for edit in restored:
            if edit.end <= open_from and not any(edit.start < b and a < edit.end for a, b in taken):
                edits.append(edit)
        edits.sort()
        self._edits += [Edit(base + edit.start, base + edit.end, edit.new) for edit in edits]
        return open_from

    def _give(self) -> None:
        """Tell the bits that are decided what they became."""
        bits, done = self._bits, self._done
        count = 0
        for bit in bits:
            if bit.end > done:
                break
            bit.new = self._becomes(bit) if self._edits else bit.text
            count += 1
        if count:
            self._bits = bits[count:]
            if self._edits:
                next_ = self._bits[0].start if self._bits else done
                self._edits = [edit for edit in self._edits if edit.end > next_]

    def _becomes(self, bit: Bit) -> str:
        """The bit after the edits: an edit's new text stands in the bit where it begins."""
        pieces: list[str] = []
        at = bit.start
        for edit in self._edits:
            if edit.end <= at and not (edit.start == edit.end >= bit.start):
                continue
            if edit.start >= bit.end:
                break
            if edit.start >= bit.start:
                pieces += (bit.text[at - bit.start : edit.start - bit.start], edit.new)
            at = max(at, min(edit.end, bit.end))
        pieces.append(bit.text[at - bit.start :])
        return "".join(pieces)


class Whole:
    """Does what Window does for a text that means nothing before it is complete: a call's arguments.

    All of what it becomes stands in its first bit.
    """

    __slots__ = ("_bits", "_docket", "_guards", "_restore", "_role", "_size")

    def __init__(self, guards: Sequence[Guard], role: Role, docket: Docket, *, restore: bool) -> None:
        self._guards = guards
        self._role: Role = role
        self._docket = docket
        self._restore = restore
        self._bits: list[Bit] = []
        self._size = 0

    def add(self, text: str) -> Bit:
        """More of the text."""
        bit = Bit(text, self._size)
        self._size = bit.end
        self._bits.append(bit)
        return bit

    def close(self) -> None:
        """The text is complete."""
        bits, self._bits = self._bits, []
        if not bits:
            return
        text = "".join([bit.text for bit in bits])
        new = screened_json(self._guards, text, self._role, self._docket, restore=self._restore)
        for bit in bits:
            bit.new = bit.text if new == text else ""
        if new != text:
            bits[0].new = new
