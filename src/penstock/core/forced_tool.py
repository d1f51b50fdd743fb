"""Structured output for models that have none: a tool whose input has the wanted form, and that must be called.

`force` puts the tool into a request; `released` turns its call, in a reply, back into the text that the caller
asked for; `Releasing` does the same with the frames of a stream. All of them know the tool from the request as
the client sent it, so nothing has to be remembered in between.
"""

from __future__ import annotations

import re
from typing import Any, cast

import msgspec
from msgspec.structs import replace

from penstock.core.chat import ChatReply, ChatRequest, Choice, FinishReason, FunctionTool, ToolChoice
from penstock.core.events import ArgumentsDelta, ChoiceFinished, Event, Frame, PartEnded, PartStarted, TextDelta
from penstock.core.parts import Part, Text, ToolCall

_NOT_A_NAME = re.compile(r"[^a-zA-Z0-9_-]+")
_DESCRIPTION = "Give the final answer by calling this tool; its input is the answer."
_VALUE = "value"
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def tool_name(request: ChatRequest) -> str:
    """The name of the tool for a request's output schema; none of the request's own tools has it."""
    wanted = request.output.name if request.output is not None else ""
    name = _NOT_A_NAME.sub("_", wanted)[:48].strip("_") or "answer"
    taken = {tool.name for tool in request.tools if isinstance(tool, FunctionTool)}
    while name in taken:
        name += "_"
    return name


def _wrapped(schema: dict[str, Any]) -> bool:
    """Whether the wanted value is not an object, and so has to stand in one."""
    return schema.get("type", "object") != "object"


def _parameters(schema: dict[str, Any]) -> dict[str, Any]:
    if not _wrapped(schema):
        return schema
    inner = dict(schema)
    outer: dict[str, Any] = {"type": "object", "properties": {_VALUE: inner}, "required": [_VALUE]}
    for name in ("$defs", "definitions"):  # references name them from the root
        if name in inner:
            outer[name] = inner.pop(name)
    return outer


def force(request: ChatRequest) -> ChatRequest:
    """The request with the tool instead of the output schema.

    Where the caller has tools of its own, one of all of them must be called; a tool that the caller insists on
    stays the one.
    """
    output = request.output
    if output is None or output.kind != "schema":
        return request
    name = tool_name(request)
    tool = FunctionTool(name, output.description or _DESCRIPTION, _parameters(output.schema or {}))
    choice = request.tool_choice
    if choice is None or choice.mode != "named":
        others = bool(request.tools) and (choice is None or choice.mode != "none")
        choice = ToolChoice("required") if others else ToolChoice("named", name)
    kept = () if request.tool_choice is not None and request.tool_choice.mode == "none" else request.tools
    return replace(request, tools=(*kept, tool), tool_choice=choice, output=None)


def released(reply: ChatReply, request: ChatRequest) -> ChatReply:
    """The reply with the tool's call as text, for the request as it was before `force`."""
    output = request.output
    if output is None or output.kind != "schema":
        return reply
    name, wrapped = tool_name(request), _wrapped(output.schema or {})
    choices = tuple([_choice(choice, name, wrapped=wrapped) for choice in reply.choices])
    return reply if choices == reply.choices else replace(reply, choices=choices)


def _choice(choice: Choice, name: str, *, wrapped: bool) -> Choice:
    parts: list[Part] = []
    for part in choice.parts:
        if isinstance(part, ToolCall) and part.name == name:
            text = part.arguments or "{}"
            parts.append(Text(_value(text) if wrapped else text))
        else:
            parts.append(part)
    if tuple(parts) == choice.parts:
        return choice
    calls = any(isinstance(part, ToolCall) for part in parts)
    finish = _finish(choice.finish, calls=calls)
    native = choice.native if finish == choice.finish else ""
    return replace(choice, parts=tuple(parts), finish=finish, native=native)


def _finish(finish: FinishReason | None, *, calls: bool) -> FinishReason | None:
    return "stop" if finish == "tool_calls" and not calls else finish


def _value(arguments: str) -> str:
    """The wanted value out of the object that it had to stand in; what is cut short stays as it is."""
    try:
        value = _decode(arguments).get(_VALUE)
    except (msgspec.DecodeError, RecursionError):
        return arguments
    return bytes(value).decode() if value is not None else arguments


class Releasing:
    """Turns the tool's call into text in the frames of one stream."""

    __slots__ = ("_calls", "_held", "_name", "_released", "_silent", "_texts", "_wrapped")

    def __init__(self, request: ChatRequest) -> None:
        output = request.output
        self._name = tool_name(request) if output is not None and output.kind == "schema" else None
        self._wrapped = output is not None and _wrapped(output.schema or {})
        self._texts: set[tuple[int, int]] = set()
        self._silent: set[tuple[int, int]] = set()
        self._held: dict[tuple[int, int], list[str]] = {}
        self._calls: set[int] = set()
        self._released: set[int] = set()

    def frame(self, frame: Frame) -> Frame:
        """The frame as the client should see it; one that changes is no longer the vendor's own wire event."""
        if self._name is None or not frame.events:
            return frame
        events: list[Event] = []
        for event in frame.events:
            self._event(event, events)
        told = tuple(events)
        return frame if told == frame.events else Frame("", told)

    def _event(self, event: Event, out: list[Event]) -> None:
        if isinstance(event, PartStarted):
            out.extend(self._started(event))
        elif isinstance(event, ArgumentsDelta) and (event.choice, event.index) in self._texts:
            self._more((event.choice, event.index), event.text, out)
        elif isinstance(event, PartEnded) and (event.choice, event.index) in self._texts:
            at = (event.choice, event.index)
            self._flush(at, out)
            part = event.part
            whole = Text(self._text(part.arguments)) if isinstance(part, ToolCall) else None
            out.append(PartEnded(event.choice, event.index, whole))
        elif isinstance(event, ChoiceFinished) and event.choice in self._released:
            for at in [each for each in self._texts if each[0] == event.choice]:
                self._flush(at, out)
            finish = cast("FinishReason", _finish(event.finish, calls=event.choice in self._calls))
            same = finish == event.finish
            out.append(event if same else ChoiceFinished(event.choice, finish, "", event.stop_sequence))
        else:
            out.append(event)

    def _started(self, event: PartStarted) -> list[Event]:
        part = event.part
        if not isinstance(part, ToolCall):
            return [event]
        if part.name != self._name:
            self._calls.add(event.choice)
            return [event]
        at = (event.choice, event.index)
        self._texts.add(at)
        self._silent.add(at)
        self._released.add(event.choice)
        events: list[Event] = [PartStarted(event.choice, event.index, Text(""))]
        self._more(at, part.arguments, events)
        return events

    def _more(self, at: tuple[int, int], text: str, out: list[Event]) -> None:
        if not text:
            return
        self._silent.discard(at)
        if self._wrapped:
            self._held.setdefault(at, []).append(text)
        else:
            out.append(TextDelta(at[0], at[1], text))

    def _flush(self, at: tuple[int, int], out: list[Event]) -> None:
        """What was held back; a call without arguments is an empty object."""
        held = "".join(self._held.pop(at, ()))
        if held or at in self._silent:
            self._silent.discard(at)
            out.append(TextDelta(at[0], at[1], _value(held) if held else "{}"))

    def _text(self, arguments: str) -> str:
        return _value(arguments) if self._wrapped else arguments
