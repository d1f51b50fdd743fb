"""Local guards over one text: what they find, and the text that is left of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from penstock.core.detector import Finding, Role
from penstock.core.screen_plan import Guard
from penstock.guardrails.docket import Docket
from penstock.guardrails.texts.slots import Slot, json_slots
from penstock.guardrails.vault import PLACEHOLDER
from penstock.wire.json_paths import Path, patched, strict_json

# Half of a pair, alone. Put together here, since the compiler takes no such character in a text.
_LONE = re.compile(f"[{chr(0xD800)}-{chr(0xDFFF)}]")


class Edit(NamedTuple):
    """A span of a text and what stands in its place."""

    start: int
    end: int
    new: str


def clean(text: str) -> str:
    """The text as detectors may see it: lone surrogates, which no encoder takes, replaced one for one."""
    return text if text.isascii() else _LONE.sub("\ufffd", text)


def findings_of(guard: Guard, text: str, role: Role, docket: Docket) -> list[Finding]:
    """What a guard finds that is sure enough; none where it failed, which the docket then says."""
    detector = guard.detector
    if detector is None:
        return []
    try:
        found = detector.look(text, role)
    except Exception as error:  # noqa: BLE001 - a plugin's defect is what `on_error` is for
        docket.failed(guard, type(error).__name__)
        return []
    if not found:
        return found
    size, least = len(text), guard.threshold
    return [each for each in found if each.score >= least and 0 <= each.start <= each.end <= size]


class Found(NamedTuple):
    """A finding with the guard that has it."""

    start: int
    end: int
    guard: Guard
    finding: Finding


def found_in(guards: Sequence[Guard], text: str, role: Role, docket: Docket, from_: int = 0) -> list[Found]:
    """What the guards find in a text from a place on; nothing follows from it yet."""
    found: list[Found] = []
    for guard in guards:
        if guard.looks_at(role):
            docket.looked(guard)
            each_ = findings_of(guard, text, role, docket)
            found += [Found(one.start, one.end, guard, one) for one in each_ if one.start >= from_]
    return found


def acted(found: Iterable[Found], text: str, docket: Docket) -> list[Edit]:
    """What follows from findings: edits, sorted and apart; all else goes into the docket."""
    edits: list[Edit] = []
    for start, end, guard, finding in found:
        docket.found(guard, finding.kind, finding.reason)
        if guard.action == "redact":
            edits.append(Edit(start, end, _written(guard, text, finding, docket)))
    return joined(edits, docket) if len(edits) > 1 else edits


def _written(guard: Guard, text: str, finding: Finding, docket: Docket) -> str:
    span = text[finding.start : finding.end]
    if guard.writes is not None:
        return guard.writes.written(span, finding)
    return docket.vault.placeholder(finding.kind, span) if guard.reversible else f"<{finding.kind}>"


def joined(edits: list[Edit], docket: Docket) -> list[Edit]:
    """Edits that do not overlap: of several that do, the longest one stands for all of their text."""
    edits.sort()
    kept: list[Edit] = []
    for edit in edits:
        if not kept or edit.start >= max(kept[-1].end, kept[-1].start + 1):
            kept.append(edit)
            continue
        last = kept[-1]
        longest = edit if edit.end - edit.start > last.end - last.start else last
        new = longest.new
        start, end = last.start, max(last.end, edit.end)
        if end - start > longest.end - longest.start and docket.vault.original(new) is not None:
            new = PLACEHOLDER.sub(r"<\1>", new)  # it stands for less than what it replaces: not brought back
        kept[-1] = Edit(start, end, new)
    return kept


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text after the edits, which are sorted and apart."""
    pieces: list[str] = []
    at = 0
    for edit in edits:
        pieces += (text[at : edit.start], edit.new)
        at = edit.end
    pieces.append(text[at:])
    return "".join(pieces)


def restored(text: str, docket: Docket) -> str:
    """The text with what was taken out of the request put back for its placeholders."""
    if "<" not in text or not docket.vault:
        return text
    return PLACEHOLDER.sub(lambda found: _original(found, docket), text)


def _original(found: re.Match[str], docket: Docket) -> str:
    original = docket.vault.original(found[0])
    return found[0] if original is None else original


def screened_text(
    guards: Sequence[Guard], text: str, role: Role, docket: Docket, *, restore: bool = False
) -> str:
    """What is left of a text; with `restore`, placeholders in it are what they stand for."""
    seen = clean(text)
    edits = acted(found_in(guards, seen, role, docket), seen, docket)
    if restore:
        edits = with_restored(edits, text, docket)
    return applied(text, edits) if edits else text


def with_restored(edits: list[Edit], text: str, docket: Docket) -> list[Edit]:
    """The edits with those besides that put back what placeholders stand for."""
    if "<" not in text or not docket.vault:
        return edits
    more: list[Edit] = []
    for found in PLACEHOLDER.finditer(text):
        original = docket.vault.original(found[0])
        start, end = found.span()
        if original is not None and not any(start < edit.end and edit.start < end for edit in edits):
            more.append(Edit(start, end, original))
    return sorted([*edits, *more]) if more else edits


def screened_json(
    guards: Sequence[Guard], text: str, role: Role, docket: Docket, *, restore: bool = False
) -> str:
    """The same for a text that is JSON: its strings are looked at as what they mean, whatever their escapes.

    A text that is not JSON, or one in which a key stands twice, is looked at as it is.
    """
    try:
        value = strict_json(text)
    except ValueError:
        return screened_text(guards, text, role, docket, restore=restore)
    edits: dict[Path, bytes] = {}
    for slot in json_slots(value, role):
        new = screened_text(guards, slot.text, slot.role, docket, restore=restore)
        if new != slot.text:
            edits[slot.path] = quoted(new)
    if not edits:
        return text
    if () in edits:
        return edits[()].decode()
    return patched(text.encode("utf-8", "surrogatepass"), edits).decode("utf-8", "surrogatepass")


def screened_slot(guards: Sequence[Guard], slot: Slot, docket: Docket, *, restore: bool = False) -> str:
    """What is left of the text at a place."""
    if slot.json:
        return screened_json(guards, slot.text, slot.role, docket, restore=restore)
    return screened_text(guards, slot.text, slot.role, docket, restore=restore)


def quoted(text: str) -> bytes:
    """The text as JSON."""
    return json.dumps(text, ensure_ascii=not text.isprintable()).encode("utf-8", "surrogatepass")
