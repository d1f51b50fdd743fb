"""Whole requests and answers under local guards: the body, and the same body with its texts as they became."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from penstock.core.detector import Role
from penstock.core.screen_plan import Guard
from penstock.guardrails.docket import Docket
from penstock.guardrails.looking import quoted, screened_slot
from penstock.guardrails.stream import likelihoods
from penstock.guardrails.texts.slots import Slot, json_slots
from penstock.wire.json_paths import Path, patched, strict_json


class Text(NamedTuple):
    """Who says what."""

    role: Role
    text: str


def screened_slots(
    guards: Sequence[Guard], slots: Iterable[Slot], docket: Docket, *, restore: bool = False
) -> dict[Path, str]:
    """The texts that changed, by place. Ends early where the docket says `blocked`."""
    changed: dict[Path, str] = {}
    for slot in slots:
        new = screened_slot(guards, slot, docket, restore=restore)
        if docket.blocked is not None:
            break
        if new != slot.text or slot.path in changed:
            changed[slot.path] = _placed(slot, new, changed.get(slot.path))
    return changed


def _placed(slot: Slot, new: str, before: str | None) -> str:
    """The whole string at a place, of which a part has changed; the parts of a string come in their order."""
    if not slot.of:
        return new
    # What came before this part may have another length by now; what comes after has not been looked at.
    after = len(slot.of) - slot.at - len(slot.text)
    head = slot.of[: slot.at] if before is None else before[: len(before) - len(slot.text) - after]
    return head + new + slot.of[len(slot.of) - after :]


def rewritten(body: bytes, value: dict[str, Any], changed: dict[Path, str]) -> bytes:
    """The body with these texts in their places, and every other byte as it was."""
    if not changed:
        return body
    edits = {path: quoted(new) for path, new in changed.items()}
    return patched(body, edits | likelihoods(value, list(changed)))


def said(slots: Iterable[Slot]) -> list[Text]:
    """Who said what, in order, for guards that are asked; of a text that is JSON what its strings mean."""
    found: list[Text] = []
    for slot in slots:
        if slot.json:
            try:
                inner = json_slots(strict_json(slot.text), slot.role)
            except ValueError:
                inner = [slot]
            found += [Text(each.role, each.text) for each in inner]
        else:
            found.append(Text(slot.role, slot.text))
    return found
