"""The detector of personal data: which rows of the table occur, checked, and weighed by what stands beside."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from penstock.guardrails.pii import americas, elsewhere, europe, money, online, person, phone, street
from penstock.guardrails.pii.recogniser import Recogniser
from penstock.guardrails.scanning import PatternSet, SpanPattern
from penstock.guardrails.spans import disjoint
from penstock.ports.guardrail import Finding, Role

ROWS: Final = (
    *online.ROWS, *money.ROWS, *americas.ROWS, *europe.ROWS, *elsewhere.ROWS, *person.ROWS, *street.ROWS,
)  # fmt: skip
PHONE: Final = "PHONE_NUMBER"
KINDS: Final = frozenset({each.kind for each in ROWS} | {PHONE})
"""Every kind that this module can find."""
_BESIDE_BEFORE: Final = 60
_BESIDE_AFTER: Final = 24
_TRAILING: Final = ".,;:!?'\"*_)]"
_PHONE_ROW: Final = Recogniser(PHONE, phone.PATTERN, "ITU-T E.164 and E.123", longest=phone.LONGEST)
_Row = tuple[Recogniser, re.Pattern[str] | None, re.Pattern[str] | None]


class PiiDetector:
    """Finds personal data of the given kinds (`KINDS` by default) with at least `threshold` of certainty.

    Kinds that need a language model (names of people, organisations, places) are not among them. Raises
    ValueError for a kind that nothing here finds.
    """

    __slots__ = ("_contexts", "_needs", "_patterns", "_sets", "look_behind", "threshold")

    def __init__(self, kinds: Iterable[str] | None = None, threshold: float = 0.5) -> None:
        wanted = KINDS if kinds is None else frozenset(kinds)
        if unknown := wanted - KINDS:
            raise ValueError(
                f"no recogniser finds {', '.join(sorted(unknown))}; there are ones for "
                f"{', '.join(sorted(KINDS))}"
            )
        self.threshold = threshold
        rows = [each for each in (*ROWS, _PHONE_ROW) if each.kind in wanted]
        self.look_behind = max([each.longest for each in rows], default=64) + _BESIDE_BEFORE
        by_pattern: dict[str, list[_Row]] = {}
        for row in rows:
            by_pattern.setdefault(row.pattern, []).append((row, _words(row.context), _before(row.never)))
        # Rows of letters in any script blow up the states of the set that digits share: two sets.
        ascii_first = sorted(by_pattern, key=_any_script)
        plain = sum(not _any_script(each) for each in ascii_first)
        self._patterns = [(SpanPattern(_bounded(each)), by_pattern[each]) for each in ascii_first]
        bounded = [_bounded(each) for each in ascii_first]
        self._sets = ((0, PatternSet(bounded[:plain])), (plain, PatternSet(bounded[plain:])))
        # What is only reported beside its word need not be looked for where the word does not occur.
        self._needs: list[int] = []
        contexts: list[str] = []
        for _, sharing in self._patterns:
            only = all(row.context and row.score < threshold for row, _, _ in sharing)
            self._needs.append(len(contexts) if only else -1)
            if only:
                contexts.append("|".join(row.context for row, _, _ in sharing))
        self._contexts = PatternSet([rf"(?i)(?:{each})" for each in contexts])

    def look(self, text: str, role: Role) -> list[Finding]:
        """Spans of personal data in `text`, whoever says it; where two overlap, the surer one."""
        del role
        data = text.encode("utf-8", "replace")
        hits = [first + index for first, each in self._sets for index in each.found(data)]
        if not hits:
            return []
        words: frozenset[int] | None = None
        found: list[Finding] = []
        for index in hits:
            if (need := self._needs[index]) >= 0:
                if words is None:
                    words = frozenset(self._contexts.found(data))
                if need not in words:
                    continue
            pattern, rows = self._patterns[index]
            for start, end in pattern.spans(text):
                for row, context, never in rows:
                    if row.kind == PHONE:
                        self._add_phone(text, start, end, found)
                    else:
                        self._add(text, start, end, row, context, never, found)
        return disjoint(found)

    def _add(
        self,
        text: str,
        start: int,
        end: int,
        row: Recogniser,
        context: re.Pattern[str] | None,
        never: re.Pattern[str] | None,
        found: list[Finding],
    ) -> None:
        if row.kind == "URL":
            end = _trimmed(text, start, end)
        if not row.loose and _continues(text, start, end):
            return
        if row.check is not None and not row.check(text[start:end]):
            return
        score, reason = row.score, "checksum" if row.check is not None else "pattern"
        if score < self.threshold or never is not None or context is not None:
            before = text[max(0, start - _BESIDE_BEFORE) : start].lower()
            if context is not None and (
                context.search(before) or context.search(text[end : end + _BESIDE_AFTER].lower())
            ):
                score, reason = row.sure, "context"
            elif never is not None and never.search(before):
                return
        if row.after and re.match(row.after, text[end : end + _BESIDE_AFTER].lower()):
            return
        if score >= self.threshold:
            found.append(Finding(start, end, row.kind, score, reason))

    def _add_phone(self, text: str, start: int, end: int, found: list[Finding]) -> None:
        while end > start and not text[end - 1].isdecimal():
            end -= 1
        if _continues(text, start, end):
            return
        score = phone.score(text, start, end)
        if score >= self.threshold:
            found.append(Finding(start, end, PHONE, score, "pattern"))


def _any_script(pattern: str) -> bool:
    return r"\p{" in pattern


def _bounded(pattern: str) -> str:
    r"""The pattern at the start of a word, which keeps the states few. RE2's `\b` knows ASCII only."""
    if _any_script(pattern):
        return r"(?:^|[^\p{L}\p{N}])" + pattern
    return (
        pattern if pattern.startswith((r"(?i)\b", r"(\+", r"([+", r"((?:[0-9A-Fa-f]")) else rf"\b(?:{pattern})"
    )


def _words(context: str) -> re.Pattern[str] | None:
    return re.compile(rf"(?<!\w)(?:{context})(?!\w)") if context else None


def _before(never: str) -> re.Pattern[str] | None:
    """Such a word right before the span, perhaps with `number`, `no.`, `is` or signs between."""
    return (
        re.compile(rf"(?<!\w)(?:{never})(?: number| no\.?| id| code)?[ :.#=]*(?:is|was)?[ :.#=]*$")
        if never
        else None
    )


def _continues(text: str, start: int, end: int) -> bool:
    """Whether the span is part of something longer: letters, digits, or a number that goes on behind a sign."""
    if start and (
        (before := text[start - 1]).isalnum()
        or before == "_"
        or (before in "-.," and start > 1 and text[start - 2].isdecimal())
    ):
        return True
    if end >= len(text):
        return False
    after = text[end]
    return (
        after.isalnum() or after == "_" or (after in "-." and end + 1 < len(text) and text[end + 1].isdecimal())
    )


def _trimmed(text: str, start: int, end: int) -> int:
    """Where a URL ends that is followed by the punctuation of its sentence."""
    while end > start and text[end - 1] in _TRAILING:
        if text[end - 1] == ")" and text.count("(", start, end) >= text.count(")", start, end):
            break
        end -= 1
    return end
