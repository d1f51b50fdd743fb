"""The semantic cache's questions over the line to the inference process; implements ports.semantic.

Nobody waits longer than the plan says: a late answer is a miss, as is a process that is not there.
"""

from __future__ import annotations

from collections.abc import Callable

from penstock.core.cache_plan import SemanticPlan
from penstock.core.kept import Purge
from penstock.ports.clock import Clock, Timer
from penstock.ports.meant import MeantWish, read_told, write_wish
from penstock.ports.oracle import Oracle, Question, Ticket
from penstock.ports.semantic import Meant, Near

# What is told without waiting for an answer may lie for so long before it is passed over.
PATIENCE_S = 10.0


class MeaningLine:
    """Asks an oracle."""

    def __init__(self, oracle: Oracle, clock: Clock) -> None:
        self._oracle = oracle
        self._clock = clock

    def look(self, meant: Meant, plan: SemanticPlan, then: Callable[[Near | None], None]) -> LineLooking:
        """See ports.semantic."""
        wish = MeantWish(
            "look",
            meant.space.hex(),
            meant.context.hex(),
            threshold=plan.threshold,
            bound=plan.bound,
            verify=plan.verify,
            shadow=plan.shadow,
            now_ms=self._clock.now_ms(),
        )
        looking = LineLooking(then)
        ticket = self._oracle.ask(_question(wish, meant.text), looking.woken, plan.deadline_s)
        looking.begin(ticket, self._clock, plan.deadline_s)
        return looking

    def keep(self, meant: Meant, entry: bytes, ends_ms: int, answer: str = "") -> None:
        """See ports.semantic."""
        wish = MeantWish("keep", meant.space.hex(), meant.context.hex(), entry.hex(), ends_ms=ends_ms)
        self._oracle.ask(_question(wish, meant.text, answer), _nobody, PATIENCE_S)

    def forget(self, purge: Purge) -> None:
        """See ports.semantic. What a purge takes by other names, only the store of answers knows."""
        if purge.org or purge.route or purge.tag or purge.key or purge.user:
            return
        self._oracle.ask(
            _question(MeantWish("forget", entry=purge.entry[: len(purge.entry) // 2 * 2]), ""),
            _nobody,
            PATIENCE_S,
        )


class LineLooking:
    """A look-up under way; `then` is called once, or never after `cancel`."""

    def __init__(self, then: Callable[[Near | None], None]) -> None:
        self._then: Callable[[Near | None], None] | None = then
        self._ticket: Ticket | None = None
        self._timer: Timer | None = None

    def begin(self, ticket: Ticket, clock: Clock, deadline_s: float) -> None:
        """Wait for the ticket; one that is done already is told in a later turn."""
        self._ticket = ticket
        self._timer = clock.call_later(0.0 if ticket.done else deadline_s, self.woken)

    def woken(self) -> None:
        """The answer is there, or it is too late for one."""
        then, ticket = self._then, self._ticket
        self.cancel()
        if then is not None and ticket is not None:
            then(_near(ticket))

    def cancel(self) -> None:
        """See ports.semantic."""
        self._then = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _near(ticket: Ticket) -> Near | None:
    if not ticket.done or not ticket.told:
        return None
    try:
        told = read_told(ticket.why)
        entry = bytes.fromhex(told.entry)
    except ValueError:
        return None
    if told.reason == "none":
        return None
    return Near(entry, told.similarity, told.reason, told.wants)


def _question(wish: MeantWish, text: str, answer: str = "") -> Question:
    return Question("semantic", write_wish(wish).decode(), text, answer)


def _nobody() -> None:
    """Nobody waits for this."""
