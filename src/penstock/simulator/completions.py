"""Legacy completions, streamed and not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from penstock.simulator.asks import Completion, created_at, digest_of
from penstock.simulator.behaviour import Behaviour
from penstock.simulator.draft import Draft, Usage, Wish, cached_tokens, draft
from penstock.simulator.reply import DONE, SSE_TYPE, STREAM_ERROR, Reply, error_reply, event, json_reply
from penstock.simulator.words import count_tokens

MOST_CHOICES = 128
# Without a cap, this API writes sixteen tokens.
USUAL_CAP = 16
Value = dict[str, Any]


def answer(ask: Completion, behaviour: Behaviour, seed: int) -> Reply:
    """The completions of each prompt, `n` of each."""
    prompts = prompts_of(ask.prompt)
    copies = 1 if ask.n is None else ask.n
    if not 1 <= copies * len(prompts) <= MOST_CHOICES:
        return error_reply(400, f"Invalid 'n': must be 1 to {MOST_CHOICES}.", "invalid_value", "n")
    digest = digest_of(seed, "completion", ask.model, ask.prompt, ask.stop, ask.seed, ask.echo)
    cap = USUAL_CAP if ask.max_tokens is None else max(0, ask.max_tokens)
    stop = [ask.stop] if isinstance(ask.stop, str) else ask.stop or ()
    drafts: list[Draft] = []
    for prompt, _ in prompts:
        wish = Wish(digest=digest, echo=prompt, stop=stop, limit=cap)
        drafts += [draft(wish, behaviour, len(drafts) + copy) for copy in range(copies)]
    prefixes = [prompt if ask.echo else "" for prompt, _ in prompts for _ in range(copies)]
    said = list(zip(prefixes, drafts, strict=True))
    usage = _usage(behaviour, sum(tokens for _, tokens in prompts), drafts)
    if ask.stream:
        asked = bool(ask.stream_options and ask.stream_options.include_usage)
        events = _events(ask, behaviour, said, digest, usage, asked=asked)
        return Reply(content_type=SSE_TYPE, events=events, digest=digest, error_event=STREAM_ERROR)
    choices = [
        _choice(prefix + "".join(each.pieces), index, each.finish) for index, (prefix, each) in enumerate(said)
    ]
    body = _envelope(ask, digest, choices)
    if behaviour.usage != "never":
        body["usage"] = usage
    return json_reply(body, digest, max(each.tokens for each in drafts))


def prompts_of(prompt: str | list[Any] | None) -> list[tuple[str, int]]:
    """Each prompt's text and count of tokens; token numbers have the count but no text."""
    if prompt is None:
        return [("", 0)]
    if isinstance(prompt, str):
        return [(prompt, count_tokens(prompt))]
    if not prompt or isinstance(prompt[0], int):
        return [("", len(prompt))]
    return [
        (each, count_tokens(each))
        if isinstance(each, str)
        else ("", len(cast("list[Any]", each)) if isinstance(each, list) else 0)
        for each in prompt
    ]


def _usage(behaviour: Behaviour, prompt: int, drafts: Sequence[Draft]) -> Usage:
    output = sum(each.tokens for each in drafts)
    usage: Usage = {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
    }
    if behaviour.cached is not None:
        usage["prompt_tokens_details"] = {"cached_tokens": cached_tokens(behaviour, prompt)}
    return usage


def _envelope(ask: Completion, digest: str, choices: Sequence[Value]) -> Value:
    return {
        "id": f"cmpl-{digest[:29]}",
        "object": "text_completion",
        "created": created_at(digest),
        "model": ask.model,
        "choices": choices,
    }


def _choice(text: str, index: int, finish: str | None) -> Value:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}


def _events(
    ask: Completion,
    behaviour: Behaviour,
    said: Sequence[tuple[str, Draft]],
    digest: str,
    usage: Usage,
    *,
    asked: bool,
) -> Iterator[bytes]:
    report = asked and behaviour.usage == "asked"
    chunk = _envelope(ask, digest, [])
    if report:
        chunk["usage"] = None
    for index, (prefix, each) in enumerate(said):
        for piece in [prefix, *each.pieces] if prefix else each.pieces:
            chunk["choices"] = [_choice(piece, index, None)]
            yield event(chunk)
        if index == len(said) - 1 and behaviour.usage == "last_chunk":
            chunk["usage"] = usage
        chunk["choices"] = [_choice("", index, each.finish)]
        yield event(chunk)
    if report:
        chunk |= {"choices": [], "usage": usage}
        yield event(chunk)
    if behaviour.done:
        yield DONE
