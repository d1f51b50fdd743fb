"""Labelled texts from the data folders: which family, attack or not, and whether they may be learnt from."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from zlib import crc32

import pyarrow.parquet

# It has no type stubs.
pq: Any = cast("Any", pyarrow.parquet)
FAMILIES = {
    "tensortrust": "tensortrust",
    "bipia": "bipia",
    "cyberseceval": "cyberseceval",
    "piguard": "notinject",
    "notinject": "notinject",
    "wildguard": "notinject",
    "xstest": "xstest",
    "garak": "garak",
}
# No licence is stated for TensorTrust; XSTest is kept for measuring.
NEVER_LEARNT = frozenset({"tensortrust", "xstest"})
# Column of the prompt by data set, and whether its licence is stated (each folder's SOURCE.md).
_TABLES = (
    ("routing/routellm/mmlu.parquet", ("prompt",), True),
    ("routing/routellm/gsm8k.parquet", ("prompt",), True),
    ("routing/routellm/mt_bench.parquet", ("turn1", "turn2"), True),
    ("routing/llmrouter_nim9/outcomes.parquet", ("question",), True),
    ("routing/routerarena_sub10/outcomes.parquet", ("question",), True),
    ("routing/rational_cascades/queries.parquet", ("prompt",), False),
    ("routing/routerbench_slices/train.parquet", ("prompt",), False),
    ("routing/routerbench_slices/test.parquet", ("prompt",), False),
    ("routing/routerdc_model7/outcomes.parquet", ("question",), False),
    ("routing/mot_cascade/questions.parquet", ("question",), False),
    ("routing/alpaca_eval_matrix/queries.parquet", ("instruction",), False),
    ("cache/gptcache_bench/qqp_full.parquet", ("text_a", "text_b"), False),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text."""

    text: str
    label: int
    source: str
    family: str


def injections(folder: Path) -> list[Row]:
    """The rows of `guard_injection`, exact duplicates left out."""
    table = pq.read_table(folder / "guard_injection" / "injection.parquet").to_pylist()
    return [
        Row(
            str(each["text"]),
            int(each["label"]),
            str(each["source"]),
            FAMILIES[str(each["source"]).split("_")[0]],
        )
        for each in table
        if not each["dup"]
    ]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One innocent prompt; `learnable` if its licence is stated and it is in the half to learn from."""

    text: str
    source: str
    learnable: bool


def innocent(shared: Path) -> list[Prompt]:
    """Every distinct prompt of `routing` and `cache`."""
    seen: set[str] = set()
    found: list[Prompt] = []
    for text, source, licensed in _prompts(shared):
        key = " ".join(text.lower().split())
        if key and key not in seen:
            seen.add(key)
            found.append(Prompt(text, source, licensed and crc32(key.encode()) % 2 == 0))
    return found


def _prompts(shared: Path) -> Iterator[tuple[str, str, bool]]:
    # Sets that may not be learnt from come first, so that a prompt which stands in both is only measured.
    for name, columns, licensed in sorted(_TABLES, key=lambda each: each[2]):
        path = shared / name
        if path.exists():
            table = pq.read_table(path, columns=list(columns))
            for column in columns:
                for value in table.column(column).to_pylist():
                    if value:
                        yield str(value), name.split("/")[1], licensed
    yield from _questions(shared)


def _questions(shared: Path) -> Iterator[tuple[str, str, bool]]:
    for path in sorted((shared / "cache" / "banking77").glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield row["text"], "banking77", True
    path = shared / "cache" / "clinc150" / "data_full.json"
    if path.exists():
        for rows in json.loads(path.read_text("utf-8")).values():
            for text, _ in rows:
                yield text, "clinc150", True
