"""The detector of text that is kept from readers: invisible characters, hidden elements, encoded words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from penstock.guardrails.injection import normalise
from penstock.guardrails.spans import disjoint
from penstock.ports.guardrail import WHOLE, Finding, Role

INVISIBLE: Final = "INVISIBLE_CHARACTERS"
HIDDEN: Final = "HIDDEN_TEXT"
ENCODED: Final = "ENCODED_TEXT"
KINDS: Final = frozenset({INVISIBLE, HIDDEN, ENCODED})
# One joiner stands in many emoji and in Persian and Indic words; a run of them, or one between Latin letters,
# does not. Changes of direction that are closed again are fine in Arabic and Hebrew; overrides are what UTR 36
# warns of.
_RUNS: Final = re.compile(
    "[\u200b-\u200d\u2060-\u2064\ufeff]{3,}|(?<=[A-Za-z])[\u200b-\u200d\u2060-\u2064\ufeff\u00ad](?=[A-Za-"
    "z])|[\u202d\u202e]"
    "|[\U000e0020-\U000e007f]{4,}|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}"
)


class EncodingDetector:
    """Finds text that a reader does not see or cannot read, whatever it says, of the given kinds."""

    __slots__ = ("_kinds", "look_behind")

    def __init__(self, kinds: Iterable[str] | None = None) -> None:
        self._kinds = KINDS if kinds is None else frozenset(kinds)
        if unknown := self._kinds - KINDS:
            raise ValueError(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(sorted(KINDS))}")
        self.look_behind = WHOLE

    def look(self, text: str, role: Role) -> list[Finding]:
        """Spans of `text` that are invisible, hidden or encoded."""
        del role
        found: list[Finding] = []
        if INVISIBLE in self._kinds and not text.isascii():
            found += [Finding(*match.span(), INVISIBLE, 0.9, "unicode") for match in _RUNS.finditer(text)]
        for view in normalise.views(text):
            kind = HIDDEN if view.reason == "hidden_text" else ENCODED
            # Respelt views take the whole text to guess what it says; only the classifier knows whether that is
            # so.
            if kind in self._kinds and (view.start, view.end) != (0, len(text)):
                found.append(Finding(view.start, view.end, kind, 0.8, view.reason))
        return disjoint(found)
