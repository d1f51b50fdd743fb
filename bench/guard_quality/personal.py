"""G3: personal data, by type, any overlap of spans counting as a match."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from bench.guard_quality.measured import Measured, Share
from penstock.guardrails.pii.detector import KINDS, PiiDetector

FILES = ("synth_dataset_v2.json", "generated_large.json")
# What the data sets call what we name otherwise.
NAMES = {"DOMAIN_NAME": "URL", "ADDRESS": "STREET_ADDRESS", "GPE": "LOCATION", "DATE_TIME": "DATE_OF_BIRTH"}
SURE = ("EMAIL_ADDRESS", "CREDIT_CARD", "US_SSN", "IBAN_CODE", "IP_ADDRESS", "URL")
FEW = frozenset({"IBAN_CODE", "IP_ADDRESS"})
"""So few spans that one miss may break a share: at most one miss counts as met."""


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """All rows of both files."""
    return [row for name in FILES for row in json.loads((folder / "guard_pii" / name).read_text("utf-8"))]


def g3(folder: Path) -> list[Measured]:
    """Recall and precision of each type that has a target, F2 of every type."""
    looking = PiiDetector()
    gold, hit, said, right = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for row in rows_of(folder):
        found = looking.look(row["full_text"], "user")
        spans: list[tuple[int, int, str]] = [
            (
                int(each["start_position"]),
                int(each["end_position"]),
                NAMES.get(str(each["entity_type"]), str(each["entity_type"])),
            )
            for each in row["spans"]
        ]
        for start, end, kind in spans:
            gold[kind] += 1
            hit[kind] += any(each.kind == kind and each.start < end and each.end > start for each in found)
        for each in found:
            said[each.kind] += 1
            right[each.kind] += any(
                each.kind == kind and each.start < end and each.end > start for start, end, kind in spans
            )
    out: list[Measured] = []
    for kind in (*SURE, "PHONE_NUMBER"):
        recall, precision = (0.98, 0.95) if kind in SURE else (0.90, 0.90)
        if kind in FEW and gold[kind]:
            recall = min(recall, (gold[kind] - 1) / gold[kind])
            precision = min(precision, (said[kind] - 1) / max(1, said[kind]))
        out.append(Share(f"G3.{kind}.recall", "found of those that are there", hit[kind], gold[kind], recall))
        out.append(
            Share(f"G3.{kind}.precision", "right of those that were found", right[kind], said[kind], precision)
        )
    table = {kind: _f2(kind, gold, hit, said, right) for kind in sorted(gold)}
    out.append(
        Share(
            "G3.types",
            "spans of all types, those that need a language model included",
            sum(hit.values()),
            sum(gold.values()),
            detail=table,
        )
    )
    return out


def _f2(
    kind: str, gold: Counter[str], hit: Counter[str], said: Counter[str], right: Counter[str]
) -> dict[str, Any]:
    recall = hit[kind] / gold[kind]
    precision = right[kind] / said[kind] if said[kind] else 0.0
    below = 4 * precision + recall
    return {
        "spans": gold[kind],
        "recall": round(recall, 3),
        "precision": round(precision, 3),
        "f2": round(5 * precision * recall / below, 3) if below else 0.0,
        "covered": kind in KINDS,
    }
