"""What a route does with answers that must obey a JSON schema: the rule, and what a model is told to mend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from penstock.core.chat import ChatReply, ChatRequest, FunctionTool, Message
from penstock.core.parts import Part, Text, ToolCall, ToolResult

# Of what is wrong with an answer, so many places are told to a model.
MAX_PROBLEMS = 8
_ASK = (
    "Your answer does not have the form that was asked for:\n{problems}\n"
    "Give the whole answer again in that form, and nothing else."
)


@dataclass(frozen=True, slots=True)
class StructuredRule:
    """How a route repairs answers.

    `lenient`: JSON that is slightly broken is read all the same. `reasks`: how often a model is asked again in
    one exchange. `passes`: an answer that is still wrong goes to the client as it is, instead of an error.
    `aliases`: other words for enumerated values, by property (`*`: any).
    """

    lenient: bool = True
    reasks: int = 1
    passes: bool = False
    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])


class Again(msgspec.Struct, frozen=True, gc=False):
    """An answer that is to be given again: what was said, and what is wrong with it."""

    said: tuple[Part, ...]
    problems: tuple[str, ...]


class Rewritten(msgspec.Struct, frozen=True, gc=False):
    """An answer whose values were brought to the form that was asked for, as the client is to get it."""

    reply: ChatReply


def wants_structure(chat: ChatRequest) -> bool:
    """Whether the request says what form its answer has: by a schema, or by tools with parameters."""
    if chat.output is not None and chat.output.kind == "schema" and chat.output.schema is not None:
        return True
    return any(isinstance(tool, FunctionTool) and tool.parameters for tool in chat.tools)


def asked_again(chat: ChatRequest, again: Again) -> ChatRequest:
    """The request with the answer that will not do, and what is wrong with it, behind its last turn."""
    listed = "\n".join([f"- {problem}" for problem in again.problems[:MAX_PROBLEMS]])
    told = _ASK.format(problems=listed)
    said = tuple([part for part in again.said if isinstance(part, Text | ToolCall)])
    calls = [part for part in said if isinstance(part, ToolCall)]
    messages = [*chat.messages, Message("assistant", said or (Text("(nothing)"),))]
    if calls:
        # Every call needs a result before anything else may be said.
        messages += [Message("tool", (_refused(call, told),)) for call in calls]
    else:
        messages.append(Message("user", (Text(told),)))
    return msgspec.structs.replace(chat, messages=tuple(messages))


def _refused(call: ToolCall, told: str) -> ToolResult:
    return ToolResult(call.id, call.name, (Text(told),), is_error=True)
