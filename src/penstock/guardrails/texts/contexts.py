"""Documents in the middle of what a user says: applications often put what they retrieved between two marks."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.guardrails.texts.slots import Slot


def between(slots: Sequence[Slot], marks: Sequence[tuple[str, str]]) -> list[Slot]:
    """The slots, each user's text in which a mark stands cut into its own words and the documents in it."""
    return [part for slot in slots for part in _parts(slot, marks)]


def _parts(slot: Slot, marks: Sequence[tuple[str, str]]) -> list[Slot]:
    if slot.role not in ("user", "system") or slot.json:
        return [slot]
    text = slot.text
    cuts: list[tuple[int, int]] = []
    for before, after in marks:
        at = 0
        while (start := text.find(before, at)) >= 0:
            start += len(before)
            end = text.find(after, start)
            end = len(text) if end < 0 else end  # a mark that nothing closes: the rest is a document
            cuts.append((start, end))
            at = end
    if not cuts:
        return [slot]
    parts: list[Slot] = []
    at = 0
    for start, end in sorted(cuts):
        if start < at:
            continue
        parts += (_part(slot, at, start, inside=False), _part(slot, start, end, inside=True))
        at = end
    parts.append(_part(slot, at, len(text), inside=False))
    return [part for part in parts if part.text]


def _part(slot: Slot, start: int, end: int, *, inside: bool) -> Slot:
    return slot._replace(
        role="context" if inside else slot.role, text=slot.text[start:end], at=start, of=slot.text
    )
