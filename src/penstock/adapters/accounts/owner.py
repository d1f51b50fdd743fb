"""The owner's end of the socket: holders come and go, their words go into the book, its answers to them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol, cast

from penstock.adapters.accounts import frames
from penstock.adapters.accounts.frames import FrameError, Frames, Message, frame
from penstock.core.allowance import CounterRule
from penstock.core.leases import Answer, Book

# How often is asked whether a holder that was lost is dead, and how often spending is announced.
LOOK_S = 0.01
TELL_S = 0.25
FORGET_S = 10.0
# How long what a session may spend is kept after its last use.
BRIEF_IDLE_S = 7 * 3600.0
BRIEF = ("session:", "task:")
# A holder that takes nothing is let go before it costs memory without bound; it comes again.
MAX_UNSENT = 64 * 1024 * 1024
log = logging.getLogger("penstock.accounts")


class Past(Protocol):
    """What the journals know."""

    def alive(self, holder: str) -> bool:
        """Whether the process with this boot id lives."""
        ...

    def before(self, counter: str) -> int:
        """What dead holders spent, and left open, of a budget counter."""
        ...

    async def bury(self, holder: str, counters: list[str]) -> Mapping[str, int]:
        """The same of one holder that has just died, by counter; `before` knows it from then on."""
        ...


class _Connection(asyncio.Protocol):
    """One holder."""

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.holder = ""
        self.transport: asyncio.Transport | None = None
        self.counters: dict[int, str] = {}
        self.numbers: dict[str, int] = {}
        self.out: list[Message] = []
        self._frames = Frames()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        del exc
        self.transport = None
        self.owner.lost(self)

    def data_received(self, data: bytes) -> None:
        """Take what it says."""
        try:
            for batch in self._frames.feed(data):
                for message in batch:
                    self.owner.take(self, message)
        except (FrameError, ValueError, IndexError, KeyError, TypeError) as error:
            log.error("a holder of accounts is not understood: %r", error)  # noqa: TRY400 - the trace says nothing
            self.abort()
        self.owner.answer()

    def abort(self) -> None:
        """Hang up."""
        if self.transport is not None:
            self.transport.abort()

    def send(self) -> None:
        """What there is to say, as one batch."""
        if self.transport is None or not self.out:
            return
        out, self.out = self.out, []
        self.transport.write(frame(out))
        if self.transport.get_write_buffer_size() > MAX_UNSENT:
            self.abort()


class Owner:
    """The book and everybody who is in it."""

    def __init__(
        self, book: Book, past: Past, monotonic: Callable[[], float], now_ms: Callable[[], int]
    ) -> None:
        self.book = book
        self._past = past
        self._monotonic = monotonic
        self._now_ms = now_ms
        self._holders: dict[str, _Connection] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._due = float("inf")
        self._burying: dict[str, asyncio.Task[None]] = {}

    def connection(self) -> asyncio.Protocol:
        """For the listening socket."""
        return _Connection(self)

    # --- what holders say -----------------------------------------------------------------------------------

    def take(self, connection: _Connection, message: Message) -> None:
        """One message. Raises what a wrong one causes."""
        verb = message[0]
        book, holder, now = self.book, connection.holder, self._monotonic()
        if verb == frames.HELLO:
            self._hello(connection, message[1], message[2])
        elif not holder:
            raise FrameError("it did not say who it is")
        elif verb == frames.OPEN:
            self._open(connection, message, now)
        elif verb == frames.HERE:
            book.arrived(holder, now)
            connection.out.append([frames.READY])
        elif verb == frames.CLOSE:
            counter = connection.counters.pop(message[1])
            del connection.numbers[counter]
            # What was answered in this batch must not reach who opens it again in the same one.
            book.unsay(holder, counter)
            book.closed(holder, counter, now)
        else:
            self._of_counter(verb, holder, connection.counters[message[1]], message, now)

    def _of_counter(self, verb: int, holder: str, counter: str, message: Message, now: float) -> None:
        book = self.book
        if verb == frames.USED:
            book.used(holder, counter, message[2], message[3], now)
        elif verb == frames.BACK:
            book.given_back(holder, counter, message[2], now)
        elif verb == frames.WANT:
            book.wanted(holder, counter, message[2], message[3], now)
        elif verb == frames.ANSWERED:
            book.answered(holder, counter, now)
        elif verb == frames.RULE:
            book.changed(counter, message[2], message[3], now)

    def _hello(self, connection: _Connection, version: int, holder: str) -> None:
        if version != frames.VERSION:
            raise FrameError(f"it speaks version {version}, this process {frames.VERSION}")
        before = self._holders.get(holder)
        if before is not None:
            before.holder = ""
            before.abort()
        connection.holder = holder
        self._holders[holder] = connection

    def _open(self, connection: _Connection, message: Message, now: float) -> None:
        _, number, counter, kind, limit, window_s, ends_ms, patient, held, told, uses = message
        rule = CounterRule(kind, limit, window_s, ends_ms, patient)
        known = counter in self.book.counters
        before = self._past.before(counter) if kind == "budget" and not known else 0
        connection.counters[number] = counter
        connection.numbers[counter] = number
        self.book.opened(connection.holder, counter, rule, now, before)
        self.book.stated(connection.holder, counter, held, told, [(at, amount) for at, amount in uses], now)

    # --- what they are told ---------------------------------------------------------------------------------

    def answer(self) -> None:
        """Send all that the book has to say."""
        self._set_timer()
        answers = self.book.answers
        if not answers:
            for connection in self._holders.values():
                connection.send()
            return
        self.book.answers = []
        for each in answers:
            connection = self._holders.get(each.holder)
            number = connection.numbers.get(each.counter) if connection is not None else None
            if connection is not None and number is not None:
                connection.out.append(_message(each, number))
        for connection in self._holders.values():
            connection.send()

    def _set_timer(self) -> None:
        """Look again as soon as something becomes free that was denied."""
        due = self.book.due
        if due < self._due:
            if self._timer is not None:
                self._timer.cancel()
            self._due = due
            delay_s = max(0.0, due - self._monotonic())
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._due = float("inf")
        self.book.grant_due(self._monotonic())
        self.answer()

    # --- holders that are lost ------------------------------------------------------------------------------

    def lost(self, connection: _Connection) -> None:
        """Its connection is gone: it comes back, or it is dead."""
        holder = connection.holder
        if holder and self._holders.get(holder) is connection:
            del self._holders[holder]
            self.book.vanished(holder, self._monotonic())
            self._bury_if_dead(holder)
            self.answer()

    def _bury_if_dead(self, holder: str) -> None:
        if holder not in self._holders and holder not in self._burying and not self._past.alive(holder):
            task = asyncio.get_running_loop().create_task(self._bury(holder))
            self._burying[holder] = task
            task.add_done_callback(lambda _: self._burying.pop(holder, None))

    async def _bury(self, holder: str) -> None:
        try:
            journaled = await self._past.bury(holder, self.book.budgets())
        except OSError as error:  # tried again by the next look; its leases count meanwhile
            log.error("what %s spent cannot be read: %s", holder, error)  # noqa: TRY400 - the same
            await asyncio.sleep(1)
            return
        self.book.buried(holder, self._monotonic(), journaled)
        self.answer()

    def hang_up(self) -> None:
        """Drop all connections."""
        for connection in list(self._holders.values()):
            connection.abort()

    # --- time -----------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Look after everything until `stop`."""
        told = forgot = self._monotonic()
        while not stop.is_set():
            now = self._monotonic()
            book = self.book
            waiting = book.expected | book.gone
            for holder in waiting:
                self._bury_if_dead(holder)
            if book.expected:
                book.tick(now)
            if now - told >= TELL_S:
                told = now
                book.tell()
            if now - forgot >= FORGET_S:
                forgot = now
                book.forget(now, self._now_ms(), BRIEF_IDLE_S, BRIEF)
            self.answer()
            try:
                await asyncio.wait_for(stop.wait(), LOOK_S if waiting else TELL_S)
            except TimeoutError:
                continue


def _message(answer: Answer, number: int) -> Message:
    if answer.verb == "granted":
        return [frames.GRANTED, number, answer.amount, answer.at]
    if answer.verb == "denied":
        return [frames.DENIED, number, answer.wait_s if answer.wait_s != float("inf") else -1]
    if answer.verb == "recalled":
        return [frames.RECALLED, number]
    return [frames.KNOWN, number, answer.amount, answer.leased]
