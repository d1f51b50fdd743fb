"""A conversation with a model, in no vendor's words: what is asked, and what is answered.

Every client dialect is decoded into ChatRequest and every provider's request is encoded from it; every
provider's reply is decoded into ChatReply and every dialect's reply is encoded from it. `extras` carry what
only one API shape knows (see core/parts.py).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from penstock.core.parts import CacheHint, Extras, Part
from penstock.core.usage import NO_TOOLS, ToolUse, Usage

Role = Literal["system", "developer", "user", "assistant", "tool"]


class Message(msgspec.Struct, frozen=True):
    """One turn, or a piece of one: neighbours of the same role may stand apart and mean one turn.

    Tool results may stand in messages of role `tool` or `user`; `core/turns.py` brings them to the form that a
    vendor wants. System messages may stand anywhere.
    """

    role: Role
    parts: tuple[Part, ...] = ()
    name: str | None = None
    extras: Extras | None = None


class FunctionTool(msgspec.Struct, frozen=True, tag_field="kind", tag="function"):
    """A tool that the caller runs; `parameters` is a JSON schema, None where none was given.

    `type` is `custom` for a tool that takes free text.
    """

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    type: Literal["function", "custom"] = "function"
    cache: CacheHint | None = None
    extras: Extras | None = None


class OpaqueTool(msgspec.Struct, frozen=True, tag_field="kind", tag="opaque"):
    """A vendor's built-in tool, kept as it came."""

    shape: str
    value: dict[str, Any]


Tool = FunctionTool | OpaqueTool


class ToolChoice(msgspec.Struct, frozen=True):
    """Which tools may or must be called: `named` means exactly the tool `name`."""

    mode: Literal["auto", "none", "required", "named"]
    name: str = ""
    extras: Extras | None = None


class OutputFormat(msgspec.Struct, frozen=True):
    """What form the answer has: any text, any JSON object, or JSON that obeys `schema`."""

    kind: Literal["text", "json", "schema"]
    schema: dict[str, Any] | None = None
    name: str = ""
    description: str = ""
    strict: bool | None = None
    extras: Extras | None = None


class Reasoning(msgspec.Struct, frozen=True):
    """How much a model may think, in whichever way the caller said it; None where nothing was said.

    `effort` is a word (`none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`), `budget_tokens` a bound,
    `enabled` a plain yes or no, `summary` whether and how the thinking is to be shown.
    """

    effort: str | None = None
    budget_tokens: int | None = None
    enabled: bool | None = None
    summary: str | None = None
    extras: Extras | None = None


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks. Everything that was not said is None or empty.

    `choices` is how many answers are wanted; `cache_key` groups requests that share a prefix;
    `verbosity`, `modalities` and `audio` are as OpenAI's chat API has them.
    """

    model: str
    messages: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    output: OutputFormat | None = None
    reasoning: Reasoning | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    choices: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: dict[str, float] | None = None
    verbosity: str | None = None
    modalities: tuple[str, ...] = ()
    audio: dict[str, Any] | None = None
    stream: bool = False
    service_tier: str | None = None
    user: str | None = None
    metadata: dict[str, str] | None = None
    cache_key: str | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    extras: Extras | None = None


FinishReason = Literal[
    "stop",  # the model was done
    "stop_sequence",  # one of the request's stop sequences came
    "length",  # the output bound, or the model's window, was reached
    "tool_calls",  # the model waits for tools
    "content_filter",  # the vendor withheld the rest
    "refusal",  # the model declined
    "pause",  # the vendor paused a long turn; send it back to go on
    "error",  # the vendor broke off
    "other",  # a reason of the vendor's own; `native` has it
]


class TokenLogprob(msgspec.Struct, frozen=True):
    """A token's log probability, and those of the likeliest alternatives."""

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


class Logprobs(msgspec.Struct, frozen=True):
    """Log probabilities of an answer's tokens; `extras` has them as the vendor wrote them."""

    tokens: tuple[TokenLogprob, ...] = ()
    extras: Extras | None = None


class ReplyUsage(msgspec.Struct, frozen=True):
    """What a reply says that it consumed; `cost_nanousd` where the vendor says what it bills.

    `extras` has the vendor's own object in full; `tools` is what its own tools did beside the counts.
    """

    counts: Usage
    cost_nanousd: int | None = None
    extras: Extras | None = None
    tools: ToolUse = NO_TOOLS


class Choice(msgspec.Struct, frozen=True):
    """One answer. `native` is the vendor's own word for the reason why it ended."""

    index: int = 0
    parts: tuple[Part, ...] = ()
    finish: FinishReason | None = None
    native: str = ""
    stop_sequence: str | None = None
    logprobs: Logprobs | None = None
    extras: Extras | None = None


class ChatReply(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider answers. `created_s` is Unix time; `service_tier` is the one that was used."""

    id: str = ""
    model: str = ""
    created_s: int | None = None
    choices: tuple[Choice, ...] = ()
    usage: ReplyUsage | None = None
    service_tier: str | None = None
    extras: Extras | None = None
