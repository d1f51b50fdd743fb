"""Tool calls that a client has got, in whole or in part, matched with the same calls of another model.

Nobody can go on in the middle of somebody else's call. But a model that makes the same call again, from its
beginning, has said what is missing: where what the client has is the beginning of it, the rest follows.
"""

from __future__ import annotations

import json
from typing import Final

from penstock.core.events import (
    ArgumentsDelta,
    ChoiceFinished,
    Ended,
    Event,
    PartEnded,
    PartStarted,
    SignatureDelta,
)
from penstock.core.parts import Text, Thinking, ToolCall

CALL_AGAIN: Final = (
    "The connection broke while you were calling tools. These calls had begun, in this order: {calls}. Make "
    "them again now, each from its beginning and with the same arguments in the same order as far as they had "
    "come, finish them, and then make any further calls that you need."
)
_SPACE = frozenset(" \t\r\n")


class SpliceError(ValueError):
    """What another model said does not go on from what the client has."""


class Begun:
    """A call as the client has it. `ended`: nothing more of it can be sent."""

    __slots__ = ("call", "ended", "index")

    def __init__(self, index: int, call: ToolCall, *, ended: bool) -> None:
        self.index = index
        self.call = call
        self.ended = ended


class Recall:
    """Takes another model's events until it has made all the calls that had begun.

    What it says or thinks meanwhile is left out: the client has got, or will get, the calls that it led to.
    """

    def __init__(self, begun: list[Begun]) -> None:
        self._begun = begun
        self._at = 0
        # The call that is being made again, and its index in the second stream.
        self._call: ToolCall | None = None
        self._index = -1
        self._pieces: list[str] = []
        self._seal: SignatureDelta | None = None
        # Parts of the second stream of which nothing is passed on.
        self.over: set[int] = set()

    @property
    def pending(self) -> bool:
        """Whether calls are still to be made again."""
        return self._at < len(self._begun)

    def take(self, event: Event) -> list[Event]:
        """What the client gets of an event. Raises SpliceError where it is another call than the one begun."""
        if isinstance(event, PartStarted):
            return self._start(event)
        if isinstance(event, ChoiceFinished | Ended):
            found = self._complete()
            if self.pending:
                raise SpliceError(f"the other model did not call {self._begun[self._at].call.name!r} again")
            return [*found, event]
        if self._call is None or getattr(event, "index", None) != self._index:
            return []
        if isinstance(event, ArgumentsDelta):
            self._pieces.append(event.text)
        elif isinstance(event, SignatureDelta):
            self._seal = event
        elif isinstance(event, PartEnded):
            if isinstance(event.part, ToolCall):
                self._call, self._pieces = event.part, []
            return self._complete()
        return []

    def _start(self, event: PartStarted) -> list[Event]:
        found = self._complete()
        if not self.pending:
            return found
        self.over.add(event.index)
        if isinstance(event.part, ToolCall):
            self._call, self._index, self._pieces, self._seal = event.part, event.index, [], None
        elif not isinstance(event.part, Text | Thinking):
            raise SpliceError("the other model answered with something else than tool calls")
        return found

    def _complete(self) -> list[Event]:
        call, self._call = self._call, None
        if call is None:
            return []
        begun, self._at = self._begun[self._at], self._at + 1
        whole = call.arguments + "".join(self._pieces)
        if (call.name, call.type) != (begun.call.name, begun.call.type):
            raise SpliceError(f"the other model called {call.name!r} instead of {begun.call.name!r}")
        rest = rest_of(begun.call.arguments, whole, free=call.type == "custom")
        if rest is None or (rest and begun.ended):
            raise SpliceError(f"the other model called {call.name!r} with other arguments")
        if begun.ended:
            return []
        found: list[Event] = [ArgumentsDelta(0, begun.index, rest)] if rest else []
        seal = self._seal.signature if self._seal is not None else call.signature
        if seal is not None and begun.call.signature is None:
            found.append(SignatureDelta(0, begun.index, seal))
        return [*found, PartEnded(0, begun.index)]


def rest_of(begun: str, whole: str, *, free: bool = False) -> str | None:
    """What is to be added to `begun` so that it says the same as `whole`; None where nothing can.

    Both are JSON text, the first cut off anywhere, and may differ in white space; with `free` they are texts.
    """
    if not begun:
        return whole
    if free:
        return whole[len(begun) :] if whole.startswith(begun) else None
    first, all_ = tight(begun), tight(whole)
    if not all_.startswith(first):
        return None
    rest = all_[len(first) :]
    try:
        same: bool = json.loads(begun + rest) == json.loads(whole)
    except (ValueError, RecursionError):
        return None
    return rest if same else None


def tight(text: str) -> str:
    """JSON text, whole or cut off, without the white space between its words."""
    found: list[str] = []
    inside = escaped = False
    for char in text:
        if inside:
            found.append(char)
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                inside = False
        elif char not in _SPACE:
            found.append(char)
            inside = char == '"'
    return "".join(found)


def call_again(begun: list[Begun]) -> str:
    """What a model is told that is to make calls again."""
    told = [f"{each.call.name} with arguments that begin {each.call.arguments!r}" for each in begun]
    return CALL_AGAIN.format(calls="; ".join(told))
