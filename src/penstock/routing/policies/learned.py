"""The child that a trained router names, else the default; the others as fallbacks."""

from __future__ import annotations

from collections.abc import Callable

from penstock.core.asking import LearnedNode
from penstock.core.itinerary import AttemptOutcome, Cursor, Step, Wait
from penstock.core.policy import PolicyNode
from penstock.ports.oracle import Question, Ticket
from penstock.routing.policies.fallback import FallbackCursor
from penstock.routing.walk import Walk


class LearnedCursor:
    """Asks once, waits no longer than it may, then walks."""

    __slots__ = ("_current", "_make", "_node", "_ticket", "_walk")

    def __init__(self, node: LearnedNode, walk: Walk, make: Callable[[PolicyNode, Walk], Cursor]) -> None:
        self._node = node
        self._walk = walk
        self._make = make
        self._ticket: Ticket | None = None
        self._current: FallbackCursor | None = None

    def step(self, outcome: AttemptOutcome | None, now: float, draw: float) -> Step:
        """See core.itinerary."""
        current = self._current
        if current is None:
            ticket = self._ticket
            if ticket is None:
                node = self._node
                ticket = self._walk.ask(
                    Question("router", node.about, self._walk.request.prompt), node.deadline_s
                )
                self._ticket = ticket
                if not ticket.done:
                    return Wait(node.deadline_s)
            current = self._current = FallbackCursor(self._ordered(ticket), self._walk, self._make)
        return current.step(outcome, now, draw)

    def _ordered(self, ticket: Ticket) -> list[PolicyNode]:
        """The chosen child, then the others."""
        node = self._node
        place = int(ticket.told[0]) if ticket.done and ticket.told else -1
        chosen = place if place in node.places else node.default
        said = "chosen" if place in node.places else "default"
        self._walk.note("learned", said if ticket.done and not ticket.why else "absent")
        first = node.children[node.places.index(chosen)]
        return [first, *[child for child in node.children if child is not first]]
