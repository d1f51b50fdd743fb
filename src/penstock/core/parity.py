"""Whether two hosts serve the same weights: their answers to the same prompts, beside one host's own.

Hosts are not deterministic, even at temperature 0 (batching changes the order of sums). How often one agrees
with itself is therefore what the other one is measured by.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec

from penstock.core.scores import wilson

SAME_LOGPROB = 0.02


class Token(msgspec.Struct, frozen=True):
    """One token of an answer with its log-probability."""

    token: str
    logprob: float


class Answer(msgspec.Struct, frozen=True):
    """One answer; `error` is empty where there is one. `seconds` from the request to its end."""

    text: str = ""
    finish: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    tokens: tuple[Token, ...] = ()
    tools: str = ""
    error: str = ""


class Pair(msgspec.Struct, frozen=True):
    """How two answers to one prompt compare. `prefix`: the share of the longer text that they begin with alike.

    `logprob_gap`: the median difference of the log-probabilities of the tokens up to where they part, None
    without any. `json_alike`: whether both are JSON objects with the wanted keys, None where none was.
    """

    identical: bool
    prefix: float
    same_input_tokens: bool
    same_finish: bool
    logprob_gap: float | None
    json_alike: bool | None


class Parity(msgspec.Struct, frozen=True):
    """How two hosts compare over all prompts. Shares are of the pairs in which both answered."""

    n: int
    errors_a: int
    errors_b: int
    identical: float | None
    identical_bounds: tuple[float, float]
    own_identical: float | None
    own_bounds: tuple[float, float]
    median_prefix: float | None
    input_tokens_differ: int
    finish_differs: int
    json_differs: int
    median_logprob_gap: float | None
    tokens_per_s_a: float | None
    tokens_per_s_b: float | None
    median_s_a: float | None
    median_s_b: float | None
    findings: tuple[str, ...]


def compare(a: Answer, b: Answer, keys: Sequence[str] = ()) -> Pair:
    """Compare two answers; with `keys` they were to be JSON objects that have these."""
    common = 0
    for left, right in zip(a.text, b.text, strict=False):
        if left != right:
            break
        common += 1
    longest = max(len(a.text), len(b.text))
    gaps: list[float] = []
    for one, other in zip(a.tokens, b.tokens, strict=False):
        if one.token != other.token:
            break
        gaps.append(abs(one.logprob - other.logprob))
    return Pair(
        identical=a.text == b.text and a.tools == b.tools,
        prefix=common / longest if longest else 1.0,
        same_input_tokens=a.input_tokens == b.input_tokens,
        same_finish=a.finish == b.finish,
        logprob_gap=statistics.median(gaps) if gaps else None,
        json_alike=_fits(a.text, keys) == _fits(b.text, keys) if keys else None,
    )


def _fits(text: str, keys: Sequence[str]) -> bool:
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return False
    return isinstance(found, dict) and set(keys) <= found.keys()


def parity(answers: Sequence[tuple[Answer, Answer, Answer, Sequence[str]]]) -> Parity:
    """The comparison of A with B over rows of (A, A again, B, keys of the JSON object that was asked for)."""
    pairs = [compare(a, b, keys) for a, _, b, keys in answers if not a.error and not b.error]
    own = [compare(a, again) for a, again, _, _ in answers if not a.error and not again.error]
    same, own_same = sum(pair.identical for pair in pairs), sum(pair.identical for pair in own)
    gaps = [pair.logprob_gap for pair in pairs if pair.logprob_gap is not None]
    found = Parity(
        n=len(answers),
        errors_a=sum(bool(a.error) for a, _, _, _ in answers),
        errors_b=sum(bool(b.error) for _, _, b, _ in answers),
        identical=same / len(pairs) if pairs else None,
        identical_bounds=wilson(same / len(pairs), len(pairs)) if pairs else (0.0, 1.0),
        own_identical=own_same / len(own) if own else None,
        own_bounds=wilson(own_same / len(own), len(own)) if own else (0.0, 1.0),
        median_prefix=statistics.median([pair.prefix for pair in pairs]) if pairs else None,
        input_tokens_differ=sum(not pair.same_input_tokens for pair in pairs),
        finish_differs=sum(not pair.same_finish for pair in pairs),
        json_differs=sum(pair.json_alike is False for pair in pairs),
        median_logprob_gap=statistics.median(gaps) if gaps else None,
        tokens_per_s_a=_speed([a for a, _, _, _ in answers]),
        tokens_per_s_b=_speed([b for _, _, b, _ in answers]),
        median_s_a=_median_s([a for a, _, _, _ in answers]),
        median_s_b=_median_s([b for _, _, b, _ in answers]),
        findings=(),
    )
    return msgspec.structs.replace(found, findings=tuple(_findings(found, len(pairs))))


def _findings(found: Parity, pairs: int) -> list[str]:
    """What speaks against the same weights, or against the switch."""
    said: list[str] = []
    if not pairs:
        return ["no prompt was answered by both"]
    if found.input_tokens_differ:
        said.append(
            f"{found.input_tokens_differ} of {pairs} prompts count other input tokens: another tokenizer, "
            "another chat template, or another system prompt"
        )
    if found.own_identical is not None and found.identical_bounds[1] < found.own_bounds[0]:
        said.append("the answers differ more often than one host's own do")
    if found.median_logprob_gap is not None and found.median_logprob_gap > SAME_LOGPROB:
        gap = found.median_logprob_gap
        said.append(f"log-probabilities differ by {gap:.3f} in the median: another precision or other weights")
    if found.json_differs:
        said.append(f"{found.json_differs} of {pairs} prompts got the wanted JSON from one host only")
    if found.errors_b > found.errors_a:
        said.append(f"the second host failed on {found.errors_b} prompts, the first on {found.errors_a}")
    return said


def _speed(answers: Sequence[Answer]) -> float | None:
    good = [each for each in answers if not each.error and each.seconds > 0]
    return sum(each.output_tokens for each in good) / sum(each.seconds for each in good) if good else None


def _median_s(answers: Sequence[Answer]) -> float | None:
    good = [each.seconds for each in answers if not each.error]
    return statistics.median(good) if good else None
