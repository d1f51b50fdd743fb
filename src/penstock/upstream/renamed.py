"""Tools that a vendor knows by another name than the caller's: calls in its answers get the caller's again."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from penstock.core.chat import ChatReply
from penstock.core.events import Event, Frame, PartEnded, PartStarted
from penstock.core.parts import Part, ToolCall


def renamed_reply(reply: ChatReply, names: Mapping[str, str]) -> ChatReply:
    """The reply with the caller's names, which are found by the vendor's."""
    choices = [
        replace(choice, parts=tuple([_part(part, names) for part in choice.parts])) for choice in reply.choices
    ]
    return replace(reply, choices=tuple(choices))


def renamed_frame(frame: Frame, names: Mapping[str, str]) -> Frame:
    """The frame with the caller's names."""
    return replace(frame, events=tuple([_event(event, names) for event in frame.events]))


def _event(event: Event, names: Mapping[str, str]) -> Event:
    if isinstance(event, PartStarted):
        return replace(event, part=_part(event.part, names))
    if isinstance(event, PartEnded) and event.part is not None:
        return replace(event, part=_part(event.part, names))
    return event


def _part(part: Part, names: Mapping[str, str]) -> Part:
    return replace(part, name=names[part.name]) if isinstance(part, ToolCall) and part.name in names else part
