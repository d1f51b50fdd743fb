"""Detectors whose longest findings have no spaces: streams need not wait for all that these may have."""

from __future__ import annotations

from penstock.core.detector import Detector, Finding, Role

# No word is waited for that is longer than any finding.
LONGEST_WORD = 8_192


class BySpaces:
    """Implements Detector and Settled around another one.

    Findings that may have spaces in them are, with all beside them that decides on them, at most `spaced`
    characters long; longer ones have none, so that they are over at the next space. `opens`, `closes` and
    `ends`: from the first of these to the third, behind the second, all is one finding, such as a private key.
    """

    def __init__(self, inner: Detector, spaced: int, opens: str = "", closes: str = "", ends: str = "") -> None:
        self._inner = inner
        self._spaced = spaced
        self._opens = opens
        self._closes = closes
        self._ends = ends
        # What has gone out never ends within a word, so that this much before is enough.
        self.look_behind = min(inner.look_behind, 2 * spaced)

    def look(self, text: str, role: Role) -> list[Finding]:
        """See Detector."""
        return self._inner.look(text, role)

    def settled(self, text: str, role: Role) -> int:
        """See Settled."""
        del role
        size = len(text)
        at = max(0, size - self._spaced)
        word = size
        least = max(0, size - LONGEST_WORD)
        while word > least and not text[word - 1].isspace():
            word -= 1
        at = min(at, word)
        # A word that goes on at that place would be cut in two.
        while at > least and not text[at - 1].isspace():
            at -= 1
        if self._opens and (opened := text.rfind(self._opens)) >= 0:
            closing = text.find(self._closes, opened)
            if closing < 0 or text.find(self._ends, closing + len(self._closes)) < 0:
                at = min(at, opened)
        return at
