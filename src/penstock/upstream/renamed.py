"""Tools that a vendor knows by another name than the caller's: calls in its answers get the caller's again."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from penstock.core.chat import ChatReply, ChatRequest, FunctionTool
from penstock.core.events import Frame, PartStarted
from penstock.core.parts import Part, ToolCall
from penstock.shapes.converse.names import renamed_tools


def vendor_names(shape: str, request: ChatRequest) -> dict[str, str]:
    """The caller's names by the vendor's, for those that differ."""
    if shape != "converse":
        return {}
    return renamed_tools([tool.name for tool in request.tools if isinstance(tool, FunctionTool)])


def renamed_reply(reply: ChatReply, names: Mapping[str, str]) -> ChatReply:
    """The reply with the caller's names."""
    choices = [
        replace(choice, parts=tuple([_part(part, names) for part in choice.parts])) for choice in reply.choices
    ]
    return replace(reply, choices=tuple(choices))


def renamed_frame(frame: Frame, names: Mapping[str, str]) -> Frame:
    """The frame with the caller's names."""
    events = [
        replace(event, part=_part(event.part, names)) if isinstance(event, PartStarted) else event
        for event in frame.events
    ]
    return replace(frame, events=tuple(events))


def _part(part: Part, names: Mapping[str, str]) -> Part:
    return replace(part, name=names[part.name]) if isinstance(part, ToolCall) and part.name in names else part
