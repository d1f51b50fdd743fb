"""Log probabilities as parallel lists, which Together's chat has, too."""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import Logprobs, TokenLogprob
from penstock.core.parts import Extras


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def read_logprobs(value: dict[str, Any], shape: str) -> Logprobs:
    """The tokens; the object itself is kept."""
    tops = _list(value.get("top_logprobs"))
    tokens: list[TokenLogprob] = []
    for at, (token, logprob) in enumerate(
        zip(_list(value.get("tokens")), _list(value.get("token_logprobs")), strict=False)
    ):
        if not isinstance(token, str):
            continue
        # The first token of an echoed prompt has none.
        number = logprob if isinstance(logprob, int | float) else 0.0
        tokens.append(TokenLogprob(token, number, _top(tops[at] if at < len(tops) else None)))
    return Logprobs(tuple(tokens), Extras(shape, value))


def _top(value: Any) -> tuple[tuple[str, float], ...]:
    said = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    return tuple([(text, number) for text, number in said.items() if isinstance(number, int | float)])


def write_logprobs(logprobs: Logprobs, shape: str, offset: int = 0) -> dict[str, Any]:
    """The object; as it came where its tokens are still those. `offset` is where the text begins."""
    extras = logprobs.extras
    own = extras.fields if extras is not None and extras.shape == shape else None
    if own is not None and read_logprobs(own, shape).tokens == logprobs.tokens:
        return own
    offsets: list[int] = []
    for token in logprobs.tokens:
        offsets.append(offset)
        offset += len(token.token)
    return {
        "tokens": [token.token for token in logprobs.tokens],
        "token_logprobs": [token.logprob for token in logprobs.tokens],
        "top_logprobs": [dict(token.top) for token in logprobs.tokens],
        "text_offset": offsets,
    }
