"""A legacy completions request as a conversation of one user message.

`suffix`, `best_of` and `echo` have no equal in a conversation: they stay in the request's extras; `echo` is
carried out by the reply's encoder, the others are without effect where another shape answers.
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.chat import ChatRequest, Message
from penstock.core.errors import ShapeError
from penstock.core.parts import Extras, Text
from penstock.shapes.openai_completions import SHAPE
from penstock.shapes.taker import Taker

_ONE = "one string: several prompts, and prompts of tokens, cannot be translated for this target"


def decode_request(body: dict[str, Any], model: str, *, stream: bool) -> ChatRequest:
    """The request. Raises ShapeError, also for a prompt that only a completions API can take."""
    t = Taker(body, strict=True)
    t.rest.pop("model", None)
    if "stream" in t.rest:
        t.rest["~stream"] = t.rest.pop("stream")
    prompt = _prompt(t)
    shown = t.count("logprobs")
    return ChatRequest(
        model=model,
        messages=(Message("user", (Text(prompt),)),),
        max_output_tokens=_cap(t),
        temperature=t.number("temperature"),
        top_p=t.number("top_p"),
        top_k=t.integer("top_k"),
        frequency_penalty=t.number("frequency_penalty"),
        presence_penalty=t.number("presence_penalty"),
        seed=t.integer("seed"),
        stop=_stop(t),
        choices=t.count("n"),
        logprobs=True if shown is not None else None,
        top_logprobs=shown,
        logit_bias=t.value("logit_bias"),
        stream=stream,
        user=t.text("user"),
        extras=Extras(SHAPE, t.rest),
    )


def _prompt(t: Taker) -> str:
    value = t.rest.get("prompt")
    if isinstance(value, list):
        items = cast("list[Any]", value)
        if len(items) != 1 or not isinstance(items[0], str):
            raise ShapeError("prompt", _ONE)
        del t.rest["prompt"]
        t.rest["~prompt"] = "list"
        return items[0]
    return t.need("prompt")


def _cap(t: Taker) -> int | None:
    value = t.rest.get("max_tokens")
    if isinstance(value, int) and value < 0:
        return None  # -1 is no bound for llama.cpp
    return t.count("max_tokens")


def _stop(t: Taker) -> tuple[str, ...]:
    if isinstance(t.rest.get("stop"), str):
        t.rest["~stop"] = "string"
        return (t.need("stop"),)
    return t.texts("stop") or ()
