"""Replies and streams of several legs as one reply with several choices."""

from __future__ import annotations

from collections.abc import Sequence
from operator import add

from msgspec.structs import astuple, replace

from penstock.core.chat import ChatReply, ReplyUsage
from penstock.core.events import Broke, ChoiceFinished, Ended, Event, Frame, Started, UsageReported
from penstock.core.usage import ToolUse, Usage
from penstock.ports.translation import StreamDecoder


def summed(usages: Sequence[ReplyUsage]) -> ReplyUsage | None:
    """What all of them consumed; None where none said anything."""
    if not usages:
        return None
    total = astuple(usages[0].counts)
    for usage in usages[1:]:
        total = tuple(map(add, total, astuple(usage.counts)))
    costs = [usage.cost_nanousd for usage in usages]
    cost = None if None in costs else sum([cost for cost in costs if cost is not None])
    return ReplyUsage(Usage(*total), cost, tools=_together([usage.tools for usage in usages]))


def _together(tools: Sequence[ToolUse]) -> ToolUse:
    return ToolUse(
        sum([each.web_searches for each in tools]),
        sum([each.grounded_answers for each in tools]),
        sum([each.file_searches for each in tools]),
        sum([each.code_sessions for each in tools]),
        tuple([inner for each in tools for inner in each.inner]),
    )


def merged_replies(replies: Sequence[ChatReply]) -> ChatReply:
    """One reply whose choices are those of all, in order."""
    choices = [choice for reply in replies for choice in reply.choices]
    return replace(
        replies[0],
        choices=tuple([replace(choice, index=at) for at, choice in enumerate(choices)]),
        usage=summed([reply.usage for reply in replies if reply.usage is not None]),
        extras=None,
    )


class MergedDecoder:
    """Implements StreamDecoder over legs: an event's payload comes with its leg's index and a space before it.

    Usage and the end are told once, when every leg has told them.
    """

    def __init__(self, decoders: list[StreamDecoder]) -> None:
        self._decoders = decoders
        self._usage: dict[int, ReplyUsage] = {}
        self._ended: set[int] = set()
        self._finished: set[int] = set()
        self._started = False

    def read(self, name: str, data: bytes) -> Frame:
        """See StreamDecoder. `data` is what LegFramer gives, without its framing."""
        leg_text, _, payload = data.partition(b" ")
        leg = int(leg_text)
        frame = self._decoders[leg].read(name, payload)
        events: list[Event] = []
        for event in frame.events:
            self._take(leg, event, events)
        if len(self._usage) == len(self._finished) == len(self._decoders):
            total = summed(list(self._usage.values()))
            if total is not None:
                events.append(UsageReported(total))
        if len(self._ended) == len(self._decoders):
            events.append(Ended())
        return Frame("", tuple(events))

    def _take(self, leg: int, event: Event, out: list[Event]) -> None:
        if isinstance(event, UsageReported):
            self._usage[leg] = event.usage
        elif isinstance(event, Ended):
            self._ended.add(leg)
        elif isinstance(event, Started):
            if not self._started:
                self._started = True
                out.append(event)
        elif isinstance(event, Broke):
            out.append(event)
        else:
            if isinstance(event, ChoiceFinished):
                self._finished.add(leg)
            out.append(replace(event, choice=leg, extras=None))
