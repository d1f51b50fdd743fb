"""Log probabilities of an answer's tokens."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import Logprobs, TokenLogprob
from penstock.core.parts import Extras


def read_logprobs(value: dict[str, Any], shape: str) -> Logprobs:
    """The tokens of the answer, or of its refusal; the object itself is kept."""
    items: Any = value.get("content") or value.get("refusal")
    tokens: list[TokenLogprob] = []
    if isinstance(items, list):
        tokens = [token for token in map(_read_token, cast("list[Any]", items)) if token is not None]
    return Logprobs(tuple(tokens), Extras(shape, value))


def _read_token(item: Any) -> TokenLogprob | None:
    if not isinstance(item, dict):
        return None
    said = cast("dict[str, Any]", item)
    token, logprob = said.get("token"), said.get("logprob")
    if not isinstance(token, str) or not isinstance(logprob, int | float):
        return None
    top: list[tuple[str, float]] = []
    others: Any = said.get("top_logprobs")
    if isinstance(others, list):
        for other in cast("list[Any]", others):
            found = _read_token(other)
            if found is not None:
                top.append((found.token, found.logprob))
    return TokenLogprob(token, logprob, tuple(top))


def write_logprobs(logprobs: Logprobs, shape: str) -> dict[str, Any]:
    """The object; as it came where its tokens are still those."""
    extras = logprobs.extras
    own = extras.fields if extras is not None and extras.shape == shape else None
    if own is not None and read_logprobs(own, shape).tokens == logprobs.tokens:
        return own
    return {
        "content": [
            {
                **_written(token.token, token.logprob),
                "top_logprobs": [_written(text, value) for text, value in token.top],
            }
            for token in logprobs.tokens
        ],
        "refusal": None,
    }


def _written(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode("utf-8", "surrogatepass"))}
