"""The loss table: what becomes of each feature on its way to each API. `losses.toml` has it as data."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "losses.toml"
WORDS = ("kept", "carried", "mapped", "dropped", "lost")
Cells = dict[str, str]


def read(text: str) -> dict[str, dict[str, Cells]]:
    """The data file's tables."""
    return tomllib.loads(text)


@cache
def table(kind: str) -> dict[str, Cells]:
    """`requests` or `replies`: what happens, by feature and shape."""
    return read(FILE.read_text("utf-8"))[kind]


def cells_of(kind: str, shape: str) -> Cells:
    """One column: what happens by feature."""
    return {feature: row[shape] for feature, row in table(kind).items()}


def written(tables: dict[str, dict[str, Cells]]) -> str:
    """The data file's text."""
    lines = ["# What becomes of each feature; written by scripts/generate_translation_doc.py --measure."]
    for kind, rows in tables.items():
        for feature, row in rows.items():
            lines += ["", f'[{kind}."{feature}"]']
            lines += [f'"{shape}" = "{cell}"' for shape, cell in row.items()]
    return "\n".join(lines) + "\n"
