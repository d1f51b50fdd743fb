"""Another dialect's conversation in the order that the vendor takes.

User and assistant in turn, the user first; results of tools at the head of the turn after their calls; the
system prompt beside the messages. https://platform.claude.com/docs/en/api/messages/create
"""

from __future__ import annotations

from msgspec.structs import replace

from penstock.core.chat import Message
from penstock.core.parts import Extras, Part, Text, ToolResult
from penstock.core.turns import merged
from penstock.ports.translation import Addressee
from penstock.providers.anthropic.parts import fit_parts
from penstock.shapes.anthropic import SHAPE
from penstock.shapes.anthropic.blocks import FORM
from penstock.shapes.anthropic.messages import PLACE

_SYSTEM = ("system", "developer")
_OPENING = Text("Begin.")
_GO_ON = Text("Continue.")


def fit_messages(messages: tuple[Message, ...], to: Addressee) -> tuple[Message, ...]:
    """The conversation, its system prompt first."""
    fitted = [replace(each, parts=fit_parts(each, to), name=None, extras=None) for each in messages]
    full = [each for each in fitted if each.parts]
    first = next((at for at, each in enumerate(full) if each.role not in _SYSTEM), len(full))
    later_allowed = "system.later" not in to.profile.lacks
    system: list[Part] = []
    turns: list[Message] = []
    for at, message in enumerate(full):
        if message.role not in _SYSTEM:
            turns.append(message)
        elif at > first and later_allowed and _may_stand(full, at):
            turns.append(replace(message, role="system"))
        else:
            system += message.parts
    if not turns and system:
        turns, system = [Message("user", tuple(system))], []
    body = _in_turn(turns, to)
    return (_system(tuple(system)), *body) if system else body


def _may_stand(messages: list[Message], at: int) -> bool:
    """A later system message stands after a user's turn, and before an assistant's or the end."""
    before = next((each.role for each in reversed(messages[:at]) if each.role not in _SYSTEM), "")
    after = next((each.role for each in messages[at:] if each.role not in _SYSTEM), "assistant")
    return before in ("user", "tool") and after == "assistant"


def _system(parts: tuple[Part, ...]) -> Message:
    form = {FORM: "text"} if len(parts) == 1 else {}
    return Message("system", parts, extras=Extras(SHAPE, {PLACE: "system", **form}))


def _in_turn(turns: list[Message], to: Addressee) -> tuple[Message, ...]:
    joined = [_results_first(each) for each in merged(turns, tool_as_user=True)]
    if not joined or joined[0].role != "user":
        joined.insert(0, Message("user", (_OPENING,)))
    if joined[-1].role == "assistant":
        if "prefill" not in to.profile.lacks:
            joined[-1] = _trimmed(joined[-1])
        elif to.losses.map("prefill"):
            joined.append(Message("user", (_GO_ON,)))
        else:
            joined.pop()
    return tuple([_plain(each) for each in joined])


def _results_first(message: Message) -> Message:
    results = tuple([part for part in message.parts if isinstance(part, ToolResult)])
    if not results:
        return message
    rest = tuple([part for part in message.parts if not isinstance(part, ToolResult)])
    return replace(message, parts=results + rest)


def _trimmed(message: Message) -> Message:
    """An answer that the model is to go on with may not end in white space."""
    last = message.parts[-1]
    if not isinstance(last, Text):
        return message
    return replace(message, parts=(*message.parts[:-1], replace(last, text=last.text.rstrip())))


def _plain(message: Message) -> Message:
    """A message of one text is written as a string."""
    return replace(message, extras=Extras(SHAPE, {FORM: "text"})) if len(message.parts) == 1 else message
