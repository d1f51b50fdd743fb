"""Whether a bare name that some provider would be asked for is rather a misspelt name of ours."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

# From a name to one that somebody meant; below it they are two words.
_LEAST_LIKENESS = 0.8
_DIGITS = re.compile(r"\d+")


def near(model: str, names: Iterable[str]) -> list[str]:
    """The names of ours that `model` may be a slip of: the whole of it, or what stands on a side of its slash.

    Names with other numbers in them are other models, not slips: `qwen3-8b` is no `qwen3-4b`.
    """
    parts = {model, *model.split("/", 1)} - {""}
    return [name for name in names if any(_alike(part, name) for part in parts)]


def _alike(part: str, name: str) -> bool:
    low, other = part.lower(), name.lower()
    if low == other:
        return True
    if _DIGITS.findall(low) != _DIGITS.findall(other):
        return False
    match = difflib.SequenceMatcher(None, low, other, autojunk=False)
    return match.real_quick_ratio() >= _LEAST_LIKENESS and match.ratio() >= _LEAST_LIKENESS
