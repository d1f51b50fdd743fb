"""Cheap features of a prompt: what routers and difficulty scorers look at without any model.

Everything is linear in the text, and only the first and last characters of a long one count: what is asked
stands at one of its ends.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise

# Longer texts are cut in the middle: features saturate, and a decision must cost the same for every request.
MOST_CHARS = 6_000
_WORD = re.compile(r"[^\W\d_]+|\d+|[^\w\s]")
_NUMBER = re.compile(r"\d+")
_CODE = re.compile(
    r"```|\bdef |\bclass |#include|\breturn\b|=>|\bfunction\b|\bpython\b|\bjavascript\b|\bjava\b|c\+\+|\bsql\b"
    r"|\bhtml\b|\bregex\b|\balgorithm\b|\bimplement\b|\bprogram\b|\barray\b|\bapi\b|\bcode\b"
)
_MATH = re.compile(
    r"\\[a-z]+|\$|[=<>≤≥√∑∫^%]|\bsolve\b|\bprove\b|\bequation\b|\bintegral\b|\bderivative\b|\bprobabilit\w+|\bratio\b"
    r"|\bpercent\w*|\bhow many\b|\bhow much\b|\btimes as\b|\btwice\b|\bhalf\b|\bremain\w*|\btotal\b|\baverage\b"
    r"|\bpolynomial\b|\btriangle\b|\bmatrix\b|\bprime\b|\bintegers?\b"
)
_LOGIC = re.compile(
    r"\bif\b|\bunless\b|\btherefore\b|\bthus\b|\bassume\b|\bsuppose\b|\bgiven that\b|\bwhich of the following\b"
    r"|\btrue or false\b|\bdeduce\b|\bexcept\b|\bnot\b|\beach\b|\bevery\b|\bat least\b|\bat most\b|\bexactly\b"
    r"|\bstep by step\b|\bbecause\b|\bcompared?\b|\banaly[sz]e\b|\bexplain\b|\bjustify\b|\bevaluate\b"
)
_STATEMENT = re.compile(r"[.!?](?:\s|$)|\n")


def clipped(text: str) -> str:
    """The text, or both ends of a long one, in lower case."""
    if len(text) > MOST_CHARS:
        half = MOST_CHARS // 2
        text = f"{text[:half]}\n{text[-half:]}"
    return text.lower()


def terms_of(text: str) -> set[str]:
    """Words, numbers (as `#` and their count of digits), signs, and pairs of neighbours."""
    words = [f"#{len(word)}" if word.isdigit() else word for word in _WORD.findall(clipped(text))]
    found = set(words)
    found.update([f"{one} {two}" for one, two in pairwise(words)])
    return found


DENSE = (
    "log_chars", "log_words", "log_numbers", "log_code", "log_math", "log_logic", "log_statements",
    "word_length",
    "foreign_share", "upper_share",
)  # fmt: skip


def dense_of(text: str) -> list[float]:
    """One number for each name in DENSE, each about 0 to 10."""
    low = clipped(text)
    words = low.split()
    letters = sum(len(word) for word in words)
    seen = text[:MOST_CHARS]
    return [
        math.log1p(len(text)),
        math.log1p(len(words)),
        math.log1p(len(_NUMBER.findall(low))),
        math.log1p(len(_CODE.findall(low))),
        math.log1p(len(_MATH.findall(low))),
        math.log1p(len(_LOGIC.findall(low))),
        math.log1p(len(_STATEMENT.findall(low))),
        letters / len(words) if words else 0.0,
        0.0 if seen.isascii() else sum(not char.isascii() for char in seen) / len(seen),
        sum(map(str.isupper, seen)) / len(seen) if seen else 0.0,
    ]
