"""The walk-through for a new provider leads to places that exist."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path

from penstock.providers.vendors.row import CHAT, Vendor

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "adding-a-provider.md").read_text("utf-8")


def test_the_files_that_it_names_exist() -> None:
    """Whoever follows it step by step never looks for a file that was moved."""
    named = re.findall(r"`((?:src|tests|scripts|docs)/[\w./-]+|[A-Z]+\.md)`", TEXT)
    scripts = re.findall(r"`python (scripts/\w+\.py)`", TEXT)
    missing = [name for name in (*named, *scripts) if not (ROOT / name).exists()]
    assert len(named) > 20
    assert scripts
    assert missing == []


def test_its_example_is_a_row() -> None:
    """The row that it shows can be pasted: its fields are those of a vendor."""
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    call = ast.parse(textwrap.dedent(block).strip().rstrip(","), mode="eval")
    row: Vendor = eval(compile(call, "the walk-through", "eval"), {"Vendor": Vendor, "CHAT": CHAT})  # noqa: S307
    assert (row.kind, row.speaks, row.found_by_key) == ("example", CHAT, True)
