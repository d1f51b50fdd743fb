"""Labelled cases, and how a guard does on them: precision, recall, by kind, and how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from math import sqrt
from statistics import median, quantiles
from typing import Any

import msgspec

from penstock.core.detector import Finding, Role
from penstock.core.screen_plan import Guard
from penstock.guardrails.looking import clean

ANY = "ANY"
_Z = 1.96


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in a case's text: characters `start` to `end`, of this kind."""

    start: int
    end: int
    kind: str = ANY


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text with what is right. `found`: whether anything is to be found; `spans`: exactly what."""

    text: str
    found: bool | None = None
    spans: tuple[Span, ...] | None = None
    role: Role = "user"
    guard: str = ""
    id: str = ""


class CasesError(ValueError):
    """A line is not a case; the message says which line, and why."""


_case = msgspec.json.Decoder(Case).decode


def read_cases(lines: Iterable[bytes]) -> Iterator[Case]:
    """The cases of a file with one JSON object a line. Raises CasesError."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            case = _case(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CasesError(f"line {number}: {error}") from None
        if (case.found is None) == (case.spans is None):
            raise CasesError(f"line {number}: say either found (true or false) or spans")
        yield case


@dataclass
class Score:
    """Right and wrong, counted: spans where the cases have spans, else whole cases."""

    right: int = 0  # found, and so it should be
    wrong: int = 0  # found, and it should not be
    missed: int = 0
    cases: int = 0

    @property
    def precision(self) -> float | None:
        """Of what was found, how much was right; None where nothing was found."""
        found = self.right + self.wrong
        return self.right / found if found else None

    @property
    def recall(self) -> float | None:
        """Of what was there, how much was found; None where there was nothing."""
        there = self.right + self.missed
        return self.right / there if there else None


@dataclass
class Report:
    """How one guard did. `failed`: cases on which it raised; `wrong_ids`: some that went wrong."""

    guard: str
    kind: str
    whole: Score = field(default_factory=Score)
    kinds: dict[str, Score] = field(default_factory=dict[str, Score])
    took_us: list[float] = field(default_factory=list[float])
    failed: int = 0
    wrong_ids: list[str] = field(default_factory=list[str])

    def told(self) -> dict[str, Any]:
        """The report as one JSON object."""
        took = self.took_us
        p99 = quantiles(took, n=100)[98] if len(took) > 1 else (took[0] if took else 0.0)
        return {
            "guard": self.guard,
            "kind": self.kind,
            "cases": self.whole.cases,
            **_score(self.whole),
            "failed": self.failed,
            "p50_us": round(median(took), 1) if took else 0.0,
            "p99_us": round(p99, 1),
            "kinds": {kind: _score(score) for kind, score in sorted(self.kinds.items())},
            "wrong_ids": self.wrong_ids,
        }


def _score(score: Score) -> dict[str, Any]:
    return {
        "precision": score.precision,
        "recall": score.recall,
        "recall_ci95": wilson(score.right, score.right + score.missed),
        "right": score.right,
        "wrong": score.wrong,
        "missed": score.missed,
    }


def wilson(right: int, of: int) -> tuple[float, float] | None:
    """The interval in which a share lies with 95 % certainty (Wilson 1927); None of nothing."""
    if not of:
        return None
    share, square = right / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = _Z * sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, middle - reach), min(1.0, middle + reach)


_MOST_WRONG = 50


def measured(guard: Guard, cases: Iterable[Case], clock: Callable[[], float]) -> Report:
    """Look at the cases that are this guard's, or nobody's in particular."""
    report = Report(guard.name, guard.kind)
    detector = guard.detector
    if detector is None:
        return report
    for case in cases:
        if case.guard not in ("", guard.name) or not guard.looks_at(case.role):
            continue
        text = clean(case.text)
        began = clock()
        try:
            found = [each for each in detector.look(text, case.role) if each.score >= guard.threshold]
        except Exception:  # noqa: BLE001 - a plugin's defect is counted
            report.failed += 1
            found = []
        report.took_us.append((clock() - began) * 1_000_000)
        report.whole.cases += 1
        is_right = (
            _spans(report, case.spans, found) if case.spans is not None else _case_is(report, case, found)
        )
        if not is_right and len(report.wrong_ids) < _MOST_WRONG:
            report.wrong_ids.append(case.id or str(report.whole.cases))
    return report


def _case_is(report: Report, case: Case, found: list[Finding]) -> bool:
    score = report.whole
    if case.found and found:
        score.right += 1
    elif case.found:
        score.missed += 1
    elif found:
        score.wrong += 1
    for kind in {each.kind for each in found}:
        of_kind = report.kinds.setdefault(kind, Score())
        if case.found:
            of_kind.right += 1
        else:
            of_kind.wrong += 1
    return bool(case.found) is bool(found)


def _spans(report: Report, spans: tuple[Span, ...], found: list[Finding]) -> bool:
    """Spans count as found where they overlap one of the same kind; a kind `ANY` is all of them."""
    missed = wrong = 0
    for span in spans:
        hit = any(_same(span, each) for each in found)
        missed += not hit
        for score in (report.whole, report.kinds.setdefault(span.kind, Score())):
            score.right += hit
            score.missed += not hit
    for each in found:
        if not any(_same(span, each) for span in spans):
            wrong += 1
            report.whole.wrong += 1
            report.kinds.setdefault(each.kind, Score()).wrong += 1
    return not missed and not wrong


def _same(span: Span, finding: Finding) -> bool:
    return span.kind in (ANY, finding.kind) and span.start < finding.end and finding.start < span.end
