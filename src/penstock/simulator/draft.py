"""What the simulated model says, independent of the API that asks: tokens, tool calls, finish reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, cast

import msgspec

from penstock.simulator.behaviour import Behaviour
from penstock.simulator.conform import conforming_value
from penstock.simulator.words import count_tokens, seeded_tokens, tokens_of

Finish = Literal["stop", "length", "tool_calls", "content_filter"]
Usage = dict[str, Any]

USUAL_THINKING = 32
_OK = ("OK.",)
ANY_OBJECT: dict[str, Any] = {
    "type": "object",
    "properties": {"answer": {"type": "string"}, "score": {"type": "integer"}},
    "required": ["answer", "score"],
}


class Tool(NamedTuple):
    """A function on offer, with the JSON Schema of its arguments."""

    name: str
    schema: dict[str, Any]


class Call(NamedTuple):
    """A tool call; the arguments' JSON is the pieces joined."""

    id: str
    name: str
    pieces: Sequence[str]


class Draft(NamedTuple):
    """One choice: thinking, then text, then calls. Every piece is one token.

    `stopped` is the stop sequence that ended the text, or empty.
    """

    reasoning: Sequence[str]
    pieces: Sequence[str]
    calls: list[Call]
    finish: Finish
    stopped: str = ""

    @property
    def tokens(self) -> int:
        """Output tokens: thinking, text, and for each call its arguments and one for its name."""
        return len(self.reasoning) + len(self.pieces) + sum(len(call.pieces) + 1 for call in self.calls)


class Wish(msgspec.Struct):
    """What a request asks of the model, whatever the API.

    `calls` is how many of `tools` to call; with none, the answer is JSON by `schema`, or else text. `limit`
    is the most output tokens, thinking included. `thinking` says that the request asks for thinking, which
    then has 32 tokens, or as many as the behaviour says.
    """

    digest: str
    echo: str
    tools: Sequence[Tool] = ()
    calls: int = 0
    schema: object | None = None
    stop: Sequence[str] = ()
    limit: int | None = None
    thinking: bool = False


def draft(wish: Wish, behaviour: Behaviour, index: int = 0) -> Draft:
    """Choice number `index` (from 0) of the answer to a wish."""
    seed = int(wish.digest[:12], 16) + index
    room = wish.limit if wish.limit is not None else 1 << 60
    thoughts = behaviour.reasoning or (USUAL_THINKING if wish.thinking else 0)
    thinking = seeded_tokens(thoughts, seed + 1) if thoughts else []
    reasoning = thinking[:room]
    room -= len(reasoning)
    if wish.calls and wish.tools:
        return _with_calls(wish, behaviour, seed, reasoning, room)
    finish: Finish = "stop"
    pieces = _pieces(wish, behaviour, seed)
    stopped = ""
    if wish.stop:
        pieces, stopped = _stopped(pieces, wish.stop)
    if behaviour.filtered:
        pieces, finish, stopped = pieces[: len(pieces) // 2], "content_filter", ""
    if len(pieces) > room or len(reasoning) < len(thinking):
        pieces, finish, stopped = pieces[:room], "length", ""
    return Draft(reasoning, pieces, [], finish, stopped)


def _pieces(wish: Wish, behaviour: Behaviour, seed: int) -> Sequence[str]:
    schema = wish.schema if wish.schema is not None else ANY_OBJECT if behaviour.json else None
    if schema is not None:
        return tokens_of(msgspec.json.encode(conforming_value(schema, seed)).decode())
    if behaviour.text == "echo":
        return tokens_of(wish.echo) or _OK
    if behaviour.text == "tokens":
        return seeded_tokens(behaviour.tokens, seed)
    return [] if behaviour.text == "empty" else _OK


def _stopped(pieces: Sequence[str], stop: Sequence[str]) -> tuple[Sequence[str], str]:
    """The pieces before the first stop sequence, which itself is not said, and that sequence."""
    text = "".join(pieces)
    places = [(place, word) for word in stop if word and (place := text.find(word)) >= 0]
    if not places:
        return pieces, ""
    place, word = min(places)
    return tokens_of(text[:place]), word


def _with_calls(wish: Wish, behaviour: Behaviour, seed: int, reasoning: Sequence[str], room: int) -> Draft:
    calls: list[Call] = []
    said: Sequence[str] = ()
    if behaviour.text_with_tools:
        spoken = _pieces(wish, behaviour, seed)
        said = spoken[:room]
        room -= len(said)
        if len(said) < len(spoken):
            return Draft(reasoning, said, [], "length")
    for number in range(wish.calls):
        tool = wish.tools[number % len(wish.tools)]
        text = msgspec.json.encode(conforming_value(tool.schema, seed + number)).decode()
        if behaviour.broken_arguments:
            text = text[:-1] + ","
        pieces = tokens_of(text)
        if room < len(pieces) + 1:
            calls.append(Call(f"call_{wish.digest[:18]}{number:06d}", tool.name, pieces[: max(0, room - 1)]))
            return Draft(reasoning, said, calls if room > 0 else calls[:-1], "length")
        room -= len(pieces) + 1
        calls.append(Call(f"call_{wish.digest[:18]}{number:06d}", tool.name, pieces))
    return Draft(reasoning, said, calls, "tool_calls")


def arguments_of(call: Call, *, broken: bool) -> Any:
    """A call's arguments as an object; broken ones as their text, and those that were cut off as nothing."""
    text = "".join(call.pieces)
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text if broken else {}


def tools_of(declared: Sequence[dict[str, Any]] | None) -> list[Tool]:
    """The functions among the tools, in either shape: nested under `function` (chat), or flat (responses)."""
    found: list[Tool] = []
    for entry in declared or ():
        inner = entry.get("function", entry)
        if isinstance(inner, dict):
            function = cast("dict[str, Any]", inner)
            name, schema = function.get("name"), function.get("parameters")
            if isinstance(name, str):
                known = cast("dict[str, Any]", schema) if isinstance(schema, dict) else {}
                found.append(Tool(name, known))
    return found


def wanted_calls(
    tools: Sequence[Tool], choice: str | dict[str, Any] | None, behaviour: Behaviour, *, answered: bool
) -> tuple[Sequence[Tool], int]:
    """Which tools may be called, and how many calls to make.

    With tools on offer the first one is called, unless the conversation already ends with a tool's result
    (`answered`): so a loop of calls ends. `choice` is the request's `tool_choice`.
    """
    if isinstance(choice, dict):
        inner = choice.get("function", choice)
        name = cast("dict[str, Any]", inner).get("name") if isinstance(inner, dict) else None
        tools = [tool for tool in tools if tool.name == name] or tools
    if not tools or choice == "none":
        return tools, 0
    if behaviour.tool_calls is not None:
        return tools, min(behaviour.tool_calls, 100)
    forced = choice == "required" or isinstance(choice, dict)
    return tools, 1 if forced or not answered else 0


def billed_tier(behaviour: Behaviour, asked: str | None) -> str:
    """The service tier that the answer names: never `auto`, which is no tier."""
    return behaviour.service_tier or (asked if asked and asked != "auto" else "default")


def cached_tokens(behaviour: Behaviour, prompt: int) -> int:
    """How many of the prompt's tokens are reported as read from a cache."""
    if behaviour.cached is None:
        return 0
    return prompt * 3 // 4 if behaviour.cached < 0 else min(behaviour.cached, prompt)


def written_tokens(behaviour: Behaviour, prompt: int) -> int:
    """How many of the prompt's tokens are reported as written to a cache: none that were read from it."""
    return min(behaviour.cache_written, prompt - cached_tokens(behaviour, prompt))


def chat_usage(behaviour: Behaviour, prompt: int, drafts: Sequence[Draft]) -> Usage:
    """The usage of a chat completion: counts of tokens, all choices together."""
    output = sum(each.tokens for each in drafts)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": cached_tokens(behaviour, prompt), "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": sum(len(each.reasoning) for each in drafts),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def declared_tokens(tools: Sequence[dict[str, Any]] | None) -> int:
    """Input tokens of tool declarations: those of their compact JSON."""
    return count_tokens(msgspec.json.encode(tools).decode()) if tools else 0
