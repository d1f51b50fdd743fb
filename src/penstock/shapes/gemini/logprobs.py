"""Log probabilities in `logprobsResult`."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import Logprobs, TokenLogprob
from penstock.core.parts import Extras
from penstock.shapes.gemini import SHAPE
from penstock.shapes.gemini.reader import own_fields


def read_logprobs(result: dict[str, Any]) -> Logprobs:
    """The tokens that were chosen, each with the likeliest alternatives."""
    chosen = _objects(result.get("chosenCandidates"))
    tops = _objects(result.get("topCandidates"))
    tokens: list[TokenLogprob] = []
    for at, each in enumerate(chosen):
        pair = _pair(each)
        if pair is None:
            continue
        among = _objects(tops[at].get("candidates")) if at < len(tops) else []
        top = tuple([found for found in map(_pair, among) if found is not None])
        tokens.append(TokenLogprob(pair[0], pair[1], top))
    return Logprobs(tuple(tokens), Extras(SHAPE, result))


def _objects(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [cast("dict[str, Any]", each) if isinstance(each, dict) else {} for each in cast("list[Any]", value)]


def _pair(value: dict[str, Any]) -> tuple[str, float] | None:
    token, logprob = value.get("token"), value.get("logProbability", 0)
    if isinstance(token, str) and isinstance(logprob, int | float):
        return token, logprob
    return None


def write_logprobs(logprobs: Logprobs) -> dict[str, Any]:
    """Google's object: the one that came, where its tokens still hold."""
    came = own_fields(logprobs.extras)
    if came and read_logprobs(came).tokens == logprobs.tokens:
        return came
    out: dict[str, Any] = {
        "chosenCandidates": [{"token": each.token, "logProbability": each.logprob} for each in logprobs.tokens]
    }
    if any(each.top for each in logprobs.tokens):
        out["topCandidates"] = [
            {"candidates": [{"token": token, "logProbability": value} for token, value in each.top]}
            for each in logprobs.tokens
        ]
    return out
