"""Bring a conversation to the form that a vendor wants: who may follow whom, and where tool results stand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from msgspec.structs import replace

from penstock.core.chat import Message
from penstock.core.parts import Part, Text, ToolCall, ToolResult


def split_system(messages: Iterable[Message]) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """The system and developer messages, wherever they stand, and the rest."""
    system: list[Message] = []
    rest: list[Message] = []
    for message in messages:
        (system if message.role in ("system", "developer") else rest).append(message)
    return tuple(system), tuple(rest)


def merged(messages: Iterable[Message], *, tool_as_user: bool) -> tuple[Message, ...]:
    """Neighbours of the same role as one message; `tool_as_user` counts tool results as the user's.

    A message that was joined keeps the extras of its first piece.
    """
    out: list[Message] = []
    pieces: list[list[Part]] = []  # of each message; joined once, since a client may send thousands
    for message in messages:
        each = replace(message, role="user") if tool_as_user and message.role == "tool" else message
        last = out[-1] if out else None
        if last is not None and last.role == each.role and last.name == each.name:
            pieces[-1] += each.parts
        else:
            out.append(each)
            pieces.append(list(each.parts))
    return tuple(
        [
            message if len(message.parts) == len(parts) else replace(message, parts=tuple(parts))
            for message, parts in zip(out, pieces, strict=True)
        ]
    )


def tools_apart(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Each tool result as a message of role `tool` of its own, before what else its message says."""
    out: list[Message] = []
    for message in messages:
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        if message.role == "tool" and len(results) == len(message.parts) == 1:
            out.append(message)
            continue
        if not results:
            out.append(message)
            continue
        out += [Message("tool", (result,)) for result in results]
        rest = tuple([part for part in message.parts if not isinstance(part, ToolResult)])
        if rest:
            out.append(replace(message, role="user" if message.role == "tool" else message.role, parts=rest))
    return tuple(out)


def tool_names(messages: Iterable[Message]) -> dict[str, str]:
    """The function's name by tool call id, for shapes whose results name the function."""
    return {part.id: part.name for message in messages for part in message.parts if isinstance(part, ToolCall)}


def text_of(parts: Iterable[Part]) -> str:
    """The text of the parts that are text, joined as they stand."""
    return "".join([part.text for part in parts if isinstance(part, Text)])


def made_id(prefix: str, *seed: object) -> str:
    """An id for something that a vendor left unnamed: the same seed gives the same id."""
    digest = hashlib.sha256("\0".join([str(each) for each in seed]).encode()).hexdigest()
    return f"{prefix}{digest[:24]}"
