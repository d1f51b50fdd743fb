"""What copies to a candidate say beside the answers that they copy: pairs of the same request.

Differences within pairs have their interval by the central limit theorem (times by their logarithms),
shares have Wilson's, and their difference Newcombe's. Pairs are the same requests, and differ in nothing else.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from penstock.core.comparison import NOTHING, Interval, newcombe, quantile
from penstock.core.scores import Z_95, wilson

_SPACE = re.compile(r"\s+")
_EDGES = re.compile(r"[^\w{}\[\]\"-]+")


def normal_form(text: str) -> str:
    """What two answers that say the same in other spacing, case or punctuation share; JSON by its values."""
    body = text.strip()
    if body.startswith("```") and body.endswith("```"):
        body = body.partition("\n")[2].rpartition("```")[0].strip()
    try:
        return json.dumps(json.loads(body), sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):
        return _SPACE.sub(" ", _EDGES.sub(" ", body.casefold())).strip()


class MirrorSide(msgspec.Struct, frozen=True):
    """One side of the pairs. Costs in dollars, times in milliseconds of successful answers."""

    n: int
    success: Interval
    cost_usd_total: str
    unpriced: int
    p50_ms: Interval
    p95_ms: Interval
    errors: dict[str, int]


class MirrorReport(msgspec.Struct, frozen=True):
    """A candidate beside what it copies; ratios are the candidate's over the original's."""

    candidate: str
    pairs: int
    alone: int
    original: MirrorSide
    copy: MirrorSide
    success: Interval
    cost_ratio: Interval
    time_ratio: Interval
    same_text: Interval
    same_normal: Interval
    same_finish: Interval


def reports(rows: Iterable[Mapping[str, Any]], route: str) -> list[MirrorReport]:
    """For each candidate of a route, the busiest first. Rows are as `penstock logs --json` has them."""
    originals: dict[str, Mapping[str, Any]] = {}
    copies: list[Mapping[str, Any]] = []
    for row in rows:
        if row["route"] == route:
            if row["purpose"] == "mirror":
                copies.append(row)
            elif not row["purpose"]:
                originals[row["request_id"]] = row
    by_candidate: dict[str, list[Mapping[str, Any]]] = {}
    for row in copies:
        by_candidate.setdefault(row["target"], []).append(row)
    found = [_report(name, each, originals) for name, each in by_candidate.items() if name]
    return sorted(found, key=lambda one: (-one.pairs, one.candidate))


def _report(
    name: str, copies: Sequence[Mapping[str, Any]], originals: Mapping[str, Mapping[str, Any]]
) -> MirrorReport:
    pairs = [(originals[row["parent"]], row) for row in copies if row["parent"] in originals]
    first, second = [one for one, _ in pairs], [two for _, two in pairs]
    both = [(one, two) for one, two in pairs if one["success"] and two["success"]]
    good = [sum(bool(row["success"]) for row in side) for side in (second, first)]
    costs = [(one["cost_nanousd"], two["cost_nanousd"]) for one, two in both]
    priced = [(one, two) for one, two in costs if one and two]
    return MirrorReport(
        name,
        len(pairs),
        len(copies) - len(pairs),
        _side(first),
        _side(second),
        newcombe(good[0], len(pairs), good[1], len(pairs)),
        _ratio_of_sums(priced),
        _ratio([(one["total_ms"], two["total_ms"]) for one, two in both]),
        *[_noted(second, note) for note in ("same_text", "same_normal", "same_finish")],
    )


def _side(rows: Sequence[Mapping[str, Any]]) -> MirrorSide:
    good = sum(bool(row["success"]) for row in rows)
    lower, upper = wilson(good / len(rows), len(rows)) if rows else (0.0, 1.0)
    times = sorted(row["total_ms"] for row in rows if row["success"])
    spent = sum(row["cost_nanousd"] or 0 for row in rows)
    errors: dict[str, int] = {}
    for row in rows:
        if row["outcome"] != "ok":
            errors[row["code"] or row["outcome"]] = errors.get(row["code"] or row["outcome"], 0) + 1
    return MirrorSide(
        len(rows),
        Interval(good / len(rows), lower, upper) if rows else NOTHING,
        f"{spent // 10**9}.{spent % 10**9:09d}",
        sum(row["cost_nanousd"] is None for row in rows),
        quantile(times, 0.5),
        quantile(times, 0.95),
        errors,
    )


def _noted(rows: Sequence[Mapping[str, Any]], note: str) -> Interval:
    """The share of the copies that were compared and are the same."""
    said = [row["notes"][note] == "yes" for row in rows if note in row["notes"]]
    if not said:
        return NOTHING
    share = sum(said) / len(said)
    return Interval(share, *wilson(share, len(said)))


def _ratio_of_sums(pairs: Sequence[tuple[float, float]]) -> Interval:
    """How many times as much the candidate costs in all, with its interval by the delta method."""
    total = sum(one for one, _ in pairs)
    if len(pairs) < 2 or not total:
        return NOTHING
    value = sum(two for _, two in pairs) / total
    mean, n = total / len(pairs), len(pairs)
    spread = math.fsum([(two - value * one) ** 2 for one, two in pairs]) / (n - 1)
    half = Z_95 * math.sqrt(spread / n) / mean
    return Interval(value, value - half, value + half)


def _ratio(pairs: Sequence[tuple[float, float]]) -> Interval:
    """How many times as long the candidate takes, by the geometric mean."""
    logs = [math.log(two / one) for one, two in pairs if one > 0 and two > 0]
    n = len(logs)
    if n < 2:
        return NOTHING
    mean = math.fsum(logs) / n
    half = Z_95 * math.sqrt(math.fsum([(each - mean) ** 2 for each in logs]) / (n - 1) / n)
    return Interval(math.exp(mean), math.exp(mean - half), math.exp(mean + half))
