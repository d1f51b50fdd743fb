"""Cheap features of an answer beside its prompt: what a trained scorer looks at."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from penstock.core.text_features import dense_of, terms_of
from penstock.core.verdict import LEAST_LOGPROB, refuses, said_confidence

MOST_CHARS = 6_000
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_SUM = re.compile(
    r"(\d[\d,]*(?:\.\d+)?)\s*([-+*/x×÷])\s*\$?(\d[\d,]*(?:\.\d+)?)\s*=\s*\$?(-?\d[\d,]*(?:\.\d+)?)"  # noqa: RUF001
)
_HEDGE = re.compile(
    r"\b(?:maybe|perhaps|possibly|probably|might|could be|not sure|unclear|assum\w+|however|wait|actually|"
    r"approximately|cannot|can't|unknown|depends)\b",
    re.IGNORECASE,
)
ANSWER = (
    "answer_log_chars", "answer_log_lines", "answer_log_numbers", "new_numbers", "unused_numbers", "wrong_sums",
    "right_sums", "last_number", "last_whole", "last_asked", "hedges", "refuses", "said_confidence",
    "no_confidence", "mean_surprise", "least_surprise", "log_tokens", "no_logprobs",
)  # fmt: skip


# Where the features of an answer's own signals begin: what it says of its confidence, and its log
# probabilities.
SIGNALS = ANSWER.index("said_confidence")


def surprise(logprob: float) -> float:
    """A log probability stretched near 0, where most of them lie: 0 (unlikely) to about 14 (certain)."""
    return -math.log(1e-6 - max(min(logprob, 0.0), LEAST_LOGPROB))


def sums(text: str) -> tuple[int, int]:
    """How many sums of two numbers in a text are right, and how many are wrong by more than rounding."""
    right = wrong = 0
    for one, sign, other, said in _SUM.findall(text[:MOST_CHARS]):
        a, b, c = (float(each.replace(",", "")) for each in (one, other, said))
        if sign in "/÷" and b == 0:
            continue
        made = {"+": a + b, "-": a - b}.get(sign, a / b if sign in "/÷" else a * b)
        # Numbers are often rounded in a text: half a unit of what was written, or one in a hundred.
        if abs(made - c) <= max(0.01 * abs(made), 0.5 * 10.0 ** -_decimals(said)):
            right += 1
        else:
            wrong += 1
    return right, wrong


def _decimals(number: str) -> int:
    return len(number.partition(".")[2])


def answer_dense(prompt: str, answer: str, logprobs: Sequence[float]) -> list[float]:
    """The prompt's features, then one number for each name in ANSWER."""
    seen = answer[:MOST_CHARS]
    numbers = _NUMBER.findall(seen)
    asked = set(_NUMBER.findall(prompt[:MOST_CHARS]))
    right, wrong = sums(seen)
    confidence = said_confidence(answer)
    last = float(numbers[-1].replace(",", "")) if numbers else 0.0
    return [
        *dense_of(prompt),
        math.log1p(len(answer)),
        math.log1p(seen.count("\n")),
        math.log1p(len(numbers)),
        sum(number not in asked for number in numbers) / len(numbers) if numbers else 0.0,
        1.0 - len(asked.intersection(numbers)) / len(asked) if asked else 0.0,
        math.log1p(wrong),
        math.log1p(right),
        math.log1p(last),
        float(last == int(last)),
        float(bool(numbers) and numbers[-1] in asked),
        math.log1p(len(_HEDGE.findall(seen))),
        float(refuses(answer)),
        confidence if confidence is not None else 0.0,
        float(confidence is None),
        surprise(sum(logprobs) / len(logprobs)) if logprobs else 0.0,
        surprise(min(logprobs)) if logprobs else 0.0,
        math.log1p(len(logprobs)),
        float(not logprobs),
    ]


def answer_terms(prompt: str, answer: str) -> set[str]:
    """Terms of the prompt, and those of the answer under names of their own."""
    return terms_of(prompt) | {f"> {term}" for term in terms_of(answer)}
