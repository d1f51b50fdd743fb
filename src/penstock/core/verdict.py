"""Checks of an answer: whether a cheap one is good enough, or a better model has to be asked.

Every check is pure and says a number from 0 to 1, or yes and no. A signal that is absent (no log
probabilities, no self-reported confidence) is None, never a yes.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What is checked: the text, its tokens' log probabilities where they are known, how it ended.

    `calls`: its tool calls, each as `name(arguments)`.
    """

    text: str
    logprobs: tuple[float, ...] | None = None
    finish: str = ""
    tool_calls: int = 0
    calls: tuple[str, ...] = ()


# A provider may say minus infinity for what it cut off.
LEAST_LOGPROB = -100.0
_REFUSALS = re.compile(
    r"^\W*(?:i'?m sorry,? but|sorry,? (?:but )?i can(?:no|')t"
    r"|i (?:can(?:no|')t|am unable to|am not able to|won'?t)"
    r" (?:help|assist|comply|provide|answer|do that)"
    r"|as an ai (?:language )?model,? i (?:can(?:no|')t|do not|don't)"
    r"|i (?:do not|don't) (?:know|have (?:enough|access|any information)))",
    re.IGNORECASE,
)
_CONFIDENCE = re.compile(
    r"(?:confidence|certainty|probability)(?: (?:level|score|rating))?\W{0,8}(?:is |of |= ?)?\W{0,4}"
    r"(\d{1,3}(?:\.\d+)?)\s*(%|/\s*10\b(?!0)|/\s*100\b|percent)?",
    re.IGNORECASE,
)
_FINAL = re.compile(
    r"(?:####|\\boxed\{|(?:final )?answer(?: is|:)|therefore,?(?: the answer is)?)\s*([^\n}]+)", re.IGNORECASE
)
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


def mean_logprob(answer: Answer) -> float | None:
    """The mean log probability of the tokens, None where there are none."""
    found = answer.logprobs
    return sum(max(each, LEAST_LOGPROB) for each in found) / len(found) if found else None


def least_logprob(answer: Answer) -> float | None:
    """The log probability of the least likely token, None where there are none."""
    found = answer.logprobs
    return max(min(found), LEAST_LOGPROB) if found else None


def refuses(text: str) -> bool:
    """Whether an answer begins like a refusal, or says that it does not know."""
    return _REFUSALS.match(text[:400]) is not None


def said_confidence(text: str) -> float | None:
    """The confidence that an answer states of itself, 0 to 1: the last one in it; None where there is none.

    `Confidence: 85%`, `confidence is 0.85`, `certainty: 8/10`. A bare number above 1 is taken as percent.
    """
    found = list(_CONFIDENCE.finditer(text[-2_000:]))
    if not found:
        return None
    value, unit = float(found[-1][1]), (found[-1][2] or "").replace(" ", "").lower()
    if unit == "/10":
        value /= 10.0
    elif unit or value > 1.0:
        value /= 100.0
    return value if 0.0 <= value <= 1.0 else None


def final_answer(text: str) -> str:
    """What an answer comes down to, so that two can be compared: what it calls its answer, or all of it.

    A single number is written in one way (`1,200.0` is `1200`); other text, dates included, loses case, space
    and punctuation at its ends.
    """
    marked = _FINAL.findall(text)
    piece = (marked[-1] if marked else text).strip()
    numbers = _NUMBER.findall(piece)
    if len(numbers) == 1 and (marked or len(piece) < 40):
        number = numbers[-1].replace(",", "")
        return number.rstrip("0").rstrip(".") if "." in number else number
    return re.sub(r"\s+", " ", piece).strip(" .:;!?\"'`*").casefold()


def agreement(answers: Sequence[str]) -> tuple[float, int]:
    """The share of answers that come down to the most frequent one, and the index of its first.

    Empty answers agree with nothing. Ties go to the one that came first.
    """
    finals = [final_answer(text) for text in answers]
    counted = Counter(final for final in finals if final)
    if not counted:
        return 0.0, 0
    best, times = counted.most_common(1)[0]
    return times / len(finals), finals.index(best)


def json_value(text: str) -> tuple[bool, Any]:
    """Whether the text is JSON, as it is or in one fenced block, and its value."""
    body = text.strip()
    if body.startswith("```") and body.endswith("```"):
        body = body.partition("\n")[2].rpartition("```")[0]
    try:
        return True, json.loads(body)
    except ValueError:
        return False, None


Check = Callable[[Answer], str]
"""Says why an answer does not pass; empty where it does."""


class Bounds(msgspec.Struct, frozen=True, gc=False):
    """What an answer must have by itself, all of it; None and empty ask nothing.

    `schema` and `pattern` are made by whoever knows the library: they say whether a JSON value, or a text,
    passes.
    """

    mean_logprob: float | None = None
    least_logprob: float | None = None
    confidence: float | None = None
    fewest_chars: int = 0
    most_chars: int | None = None
    refusal_passes: bool = True
    schema: Callable[[Any], bool] | None = None
    pattern: Callable[[str], bool] | None = None


def fault(bounds: Bounds, answer: Answer) -> str:
    """Why the answer does not pass: a short stable word; empty where it does."""
    if answer.finish == "length":
        return "cut_off"
    if _under(mean_logprob(answer), bounds.mean_logprob) or _under(least_logprob(answer), bounds.least_logprob):
        return "logprob"
    if bounds.confidence is not None and _under(said_confidence(answer.text), bounds.confidence):
        return "confidence"
    length = len(answer.text.strip())
    if length < bounds.fewest_chars or (bounds.most_chars is not None and length > bounds.most_chars):
        return "length"
    if not bounds.refusal_passes and refuses(answer.text):
        return "refusal"
    return _form(bounds, answer)


def _form(bounds: Bounds, answer: Answer) -> str:
    if bounds.pattern is not None and not bounds.pattern(answer.text):
        return "regex"
    if bounds.schema is not None:
        is_json, value = json_value(answer.text)
        if not is_json or not bounds.schema(value):
            return "schema"
    return ""


def _under(value: float | None, bound: float | None) -> bool:
    """Whether a signal that is asked for is absent or too low."""
    return bound is not None and (value is None or value < bound)
