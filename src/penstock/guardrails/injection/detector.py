"""The detector of prompt injection and jailbreaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from penstock.guardrails.injection import normalise
from penstock.guardrails.injection.model import MOST_BYTES, OVERLAP, WINDOW, Head, Model, certainty, shipped
from penstock.guardrails.spans import disjoint
from penstock.ports.guardrail import UNTRUSTED, WHOLE, Finding, Role

KIND: Final = "PROMPT_INJECTION"
KINDS: Final = frozenset({KIND})
_SEGMENT: Final = re.compile(
    r"[^\n.!?。！？]+(?:[.!?。！？]+(?!\S)|[.!?。！？](?=\S)|\n|$)(?:\s*```.{0,2000}?(?:```|$))?", re.DOTALL
)
# The margin of certainty 0.5.
_TOLD: Final = -1.386
_SHORTEST: Final = 12
_MOST_SEGMENTS: Final = 2_000


class InjectionDetector:
    """Finds text that tries to take a model over, with at least `threshold` of certainty.

    What a person says is weighed as a whole, and in windows where it is long. What third parties wrote
    (`UNTRUSTED` roles) is weighed sentence by sentence by a second table, for which any instruction to an
    assistant counts. Both look at the readable form, and at what is encoded or hidden in the text. The
    application's own instructions (role `system`) are not looked at.
    """

    __slots__ = ("_model", "look_behind", "threshold")

    def __init__(self, threshold: float = 0.8, model: Model | None = None) -> None:
        self.threshold = threshold
        self.look_behind = WHOLE
        self._model = model or shipped()

    def look(self, text: str, role: Role) -> list[Finding]:
        """Spans of `text` that look like an attack."""
        if role == "system" or not text:
            return []
        untrusted = role in UNTRUSTED
        found = list(self._plain(text, untrusted=untrusted))
        for view in normalise.views(text):
            score = self.score(view.text, untrusted=untrusted or view.reason == "hidden_text")
            if score >= self.threshold:
                found.append(Finding(view.start, view.end, KIND, score, view.reason))
        return disjoint(found)

    def score(self, text: str, *, untrusted: bool = False) -> float:
        """How sure it is of a text as it stands, encoded parts left out; 0 to 1."""
        found = [each.score for each in self._scored(normalise.readable(text), untrusted=untrusted)]
        return max(found, default=0.0)

    def _plain(self, text: str, *, untrusted: bool) -> Iterator[Finding]:
        clean = normalise.readable(text)
        for each in self._scored(clean, untrusted=untrusted):
            if each.score >= self.threshold:
                same = clean is text or clean == text
                yield each if same else Finding(0, len(text), KIND, each.score, each.reason)

    def _scored(self, text: str, *, untrusted: bool) -> Iterator[Finding]:
        for start, piece in _pieces(text):
            yield from _direct(self._model.direct, piece, start)
        if untrusted:
            yield from _by_segment(self._model.indirect, text)


def _direct(head: Head, piece: str, start: int) -> Iterator[Finding]:
    data = piece.encode("utf-8", "replace")
    whole, window, at = head.scores(data)
    # Where it stands is only worth finding out where it may be told.
    if window > whole and window > _TOLD:
        first, last = _characters(piece, at)
        yield Finding(start + first, start + last, KIND, certainty(window), "classifier")
    yield Finding(start, start + len(piece), KIND, certainty(max(whole, min(window, _TOLD))), "classifier")


def _characters(piece: str, token: int) -> tuple[int, int]:
    """About where a window of tokens stands: words and signs counted in the text itself."""
    places = [(match.start(), match.end()) for match in re.finditer(r"\w+|[^\w\s]", piece)]
    if not places:
        return 0, len(piece)
    first = places[min(token, len(places) - 1)][0]
    return first, places[min(token + WINDOW, len(places)) - 1][1]


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    if len(text) <= MOST_BYTES:
        yield 0, text
        return
    for start in range(0, len(text) - OVERLAP, MOST_BYTES - OVERLAP):
        yield start, text[start : start + MOST_BYTES]


def _by_segment(head: Head, text: str) -> Iterator[Finding]:
    """Sentences and lines, a block of code with the line before it."""
    count = 0
    for match in _SEGMENT.finditer(text):
        said = match[0].strip()
        if len(said) < _SHORTEST:
            continue
        whole, window, _ = head.scores(said[:MOST_BYTES].encode("utf-8", "replace"))
        yield Finding(match.start(), match.end(), KIND, certainty(max(whole, window)), "instruction")
        count += 1
        if count >= _MOST_SEGMENTS:
            return
