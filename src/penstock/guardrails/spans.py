"""Findings of one text that overlap: which of them are kept."""

from __future__ import annotations

from bisect import bisect_left

from penstock.ports.guardrail import Finding


def disjoint(found: list[Finding]) -> list[Finding]:
    """The surest ones that do not overlap; of equally sure ones the longest. In order of their places."""
    if len(found) < 2:
        return found
    found.sort(key=lambda each: (-each.score, each.start - each.end))
    kept: list[Finding] = []
    for each in found:
        at = bisect_left(kept, each.start, key=_start)
        if (at == 0 or kept[at - 1].end <= each.start) and (at == len(kept) or kept[at].start >= each.end):
            kept.insert(at, each)
    return kept


def _start(each: Finding) -> int:
    return each.start
