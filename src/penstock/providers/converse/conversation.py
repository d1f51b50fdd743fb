"""A conversation of another shape as Bedrock wants it.

System messages stand apart; user and assistant take turns and the user begins; a turn has no blank text and
is not empty; results of tools come first in the turn after their calls; a document is not alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from penstock.core.chat import Message
from penstock.core.losses import Losses
from penstock.core.parts import Opaque, Part, Text, ToolCall, ToolResult
from penstock.core.turns import merged, split_system
from penstock.providers.converse.blocks import RequestBlocks

Block = dict[str, Any]
_GO_ON = "Continue."


def encode_conversation(
    messages: Iterable[Message], writer: RequestBlocks, lacks: frozenset[str], losses: Losses
) -> tuple[list[Block], list[Block]]:
    """The system blocks and the messages."""
    system, rest = split_system(messages)
    spoken = tuple([part for message in system for part in message.parts])
    for part in spoken:
        if not isinstance(part, Text | Opaque):
            losses.drop(f"system.{type(part).__name__.lower()}")
    said = writer.blocks(tuple([_plain(part) for part in spoken if isinstance(part, Text | Opaque)]))
    turns: list[Block] = []
    for message in merged([_by_role(message) for message in rest], tool_as_user=True):
        content = _content(message, writer)
        if not content:
            continue
        if turns and turns[-1]["role"] == message.role:
            turns[-1]["content"] += content
        else:
            turns.append({"role": message.role, "content": content})
    if "system" in lacks and said and losses.map("system"):
        _say_first(turns, said)
    if "system" in lacks:
        said = []
    if not turns and said:
        turns, said = [{"role": "user", "content": said}], []
    if turns and turns[0]["role"] != "user":
        turns.insert(0, {"role": "user", "content": [{"text": _GO_ON}]})
    _trim_last(turns)
    return said, turns


def _plain(part: Part) -> Part:
    return replace(part, citations=()) if isinstance(part, Text) else part


def _by_role(message: Message) -> Message:
    """The message without its name, and a result of a tool never among what the assistant says."""
    if message.role == "assistant" and any(isinstance(part, ToolResult) for part in message.parts):
        kept = tuple([part for part in message.parts if not isinstance(part, ToolResult)])
        return replace(message, name=None, parts=kept)
    return replace(message, name=None) if message.name is not None else message


def _content(message: Message, writer: RequestBlocks) -> list[Block]:
    parts = message.parts
    if message.role == "user":
        results = [part for part in parts if isinstance(part, ToolResult)]
        if results:
            parts = (*results, *[part for part in parts if not isinstance(part, ToolResult | ToolCall)])
    content = writer.blocks(parts)
    names = [block["document"].get("name", "") for block in content if "document" in block]
    if names and not any("text" in block for block in content):
        content.append({"text": ", ".join(names)})
    return content


def _say_first(turns: list[Block], said: list[Block]) -> None:
    """What the system says, at the beginning of what the user says."""
    text = [block for block in said if "text" in block]
    if turns and turns[0]["role"] == "user":
        turns[0]["content"] = text + turns[0]["content"]
    else:
        turns.insert(0, {"role": "user", "content": text})


def _trim_last(turns: list[Block]) -> None:
    """An answer that the model is to go on with ends without blanks."""
    if turns and turns[-1]["role"] == "assistant":
        last = turns[-1]["content"][-1]
        if "text" in last:
            turns[-1]["content"][-1] = {**last, "text": last["text"].rstrip()}


def tool_blocks(messages: Iterable[Message]) -> list[str]:
    """The names of the tools that the conversation has called or answered; Bedrock wants them declared."""
    names: dict[str, None] = {}
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolCall) or (isinstance(part, ToolResult) and part.name):
                names[part.name] = None
            elif isinstance(part, ToolResult) and not names:
                names["tool"] = None
    return list(names)
