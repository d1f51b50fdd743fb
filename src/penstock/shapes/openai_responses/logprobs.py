"""Log probabilities of an output text."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import Logprobs, TokenLogprob


def decode_logprobs(value: Any) -> tuple[TokenLogprob, ...]:
    """What can be read of a text's `logprobs`."""
    return tuple([token for each in _objects(value) if (token := _token(each)) is not None])


def _token(value: dict[str, Any]) -> TokenLogprob | None:
    token, probability = value.get("token"), value.get("logprob")
    if not isinstance(token, str) or not isinstance(probability, int | float):
        return None
    top = [
        (other["token"], other["logprob"])
        for other in _objects(value.get("top_logprobs"))
        if isinstance(other.get("token"), str) and isinstance(other.get("logprob"), int | float)
    ]
    return TokenLogprob(token, probability, tuple(top))


def _objects(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [cast("dict[str, Any]", each) for each in cast("list[Any]", value) if isinstance(each, dict)]


def encode_logprobs(logprobs: Logprobs | None) -> list[dict[str, Any]]:
    """As the API writes them."""
    if logprobs is None:
        return []
    return [
        {
            **_written(each.token, each.logprob),
            "top_logprobs": [_written(token, probability) for token, probability in each.top],
        }
        for each in logprobs.tokens
    ]


def _written(token: str, probability: float) -> dict[str, Any]:
    return {"token": token, "bytes": list(token.encode()), "logprob": probability}
