"""A gateway's way to the owner of its counters, over a Unix socket. Implements ports.accounts.Shares.

What is said goes out once a turn of the event loop at most; what was spent waits a little longer for company,
because no limit depends on when it is told. Whoever comes back after a break says all that it holds, so
whatever was lost on the way, in either direction, is lost without consequence.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections import OrderedDict
from pathlib import Path
from typing import cast

from penstock.adapters.accounts import frames
from penstock.adapters.accounts.frames import FrameError, Frames, Message, frame
from penstock.adapters.credentials.place import address_of
from penstock.core.allowance import CounterRule
from penstock.core.limits import SlidingWindow
from penstock.ports.accounts import Holder
from penstock.ports.clock import Clock, Timer

RETRY_S = 0.02
TELL_S = 0.005
# Of so many budgets that were closed it is remembered what this process had spent of them.
MAX_CLOSED = 65_536
log = logging.getLogger("penstock.gateway")


class _Open:
    """A counter that was opened.

    `window`: of a rate, what was used of late. `ripening`: what was granted, and may not be used yet. `told`:
    all that this process used, also before it closed the counter for a while.
    """

    __slots__ = ("at", "holder", "id", "number", "ripening", "rule", "told", "used", "window")

    def __init__(self, number: int, counter: str, rule: CounterRule, holder: Holder, told: int) -> None:
        self.number = number
        self.id = counter
        self.rule = rule
        self.holder = holder
        self.window = SlidingWindow(rule.limit, rule.window_s) if rule.kind == "rate" else None
        self.used = 0
        self.at = 0.0
        self.ripening = 0
        self.told = told


class AccountsSocket(asyncio.Protocol):
    """One connection at a time; `tend` makes it, and makes it again."""

    def __init__(self, path: Path, boot: str, clock: Clock) -> None:
        self._path = path
        self._boot = boot
        self._clock = clock
        self._transport: asyncio.Transport | None = None
        self._frames = Frames()
        self._out: list[Message] = []
        self._soon = False
        self._later: Timer | None = None
        self._unsaid: list[_Open] = []
        self._opened: dict[str, _Open] = {}
        self._numbered: dict[int, _Open] = {}
        self._closed: OrderedDict[str, int] = OrderedDict()
        # Those that were closed while nobody could be told; what was used of them is said first.
        self._parting: list[_Open] = []
        self._next = 1
        self._lost = asyncio.Event()
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # --- life -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect, and again whenever the connection is lost."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def first(self, most_s: float) -> bool:
        """Wait, at a start, for the owner to know us; whether it did in time."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), most_s)
        return self._ready.is_set()

    @property
    def is_up(self) -> bool:
        """Whether the owner can be asked just now."""
        return self._transport is not None and not self._transport.is_closing()

    def abort(self) -> None:
        """Drop the connection; another one is made."""
        if self._transport is not None:
            self._transport.abort()

    def close_all(self) -> None:
        """Give everything back."""
        for counter in list(self._opened):
            self.close(counter)

    def halt(self) -> None:
        """End for good without another word."""
        if self._task is not None:
            self._task.cancel()
        self._opened.clear()
        self._numbered.clear()
        self.abort()

    def hang_up(self) -> None:
        """Say what is left to say, and end for good."""
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._flush()
            self._transport.close()

    async def _run(self) -> None:
        while True:
            self._lost.clear()
            if await self._connect():
                await self._lost.wait()
            await asyncio.sleep(RETRY_S)

    async def _connect(self) -> bool:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)  # noqa: FBT003 - the name says it
            with address_of(self._path) as address:
                sock.connect(address)
            await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=sock)
        except OSError:
            sock.close()  # it is not there yet, or just being restarted
            return False
        return True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say who we are and what we hold."""
        self._transport = cast("asyncio.Transport", transport)
        self._frames = Frames()
        self._out = [[frames.HELLO, frames.VERSION, self._boot]]
        self._unsaid.clear()
        parting, self._parting = self._parting, []
        for gone in parting:
            self._out += [self._statement(gone, held=0), [frames.CLOSE, gone.number]]
        for opened in self._opened.values():
            opened.used = 0
            self._out.append(self._statement(opened))
        self._out.append([frames.HERE])
        self._flush()
        for opened in list(self._opened.values()):
            opened.holder.here()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing can be asked for until there is another."""
        del exc
        self._transport = None
        self._out.clear()
        for opened in list(self._opened.values()):
            opened.holder.away()
        self._lost.set()

    # --- what the owner says --------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Pass answers on."""
        try:
            for batch in self._frames.feed(data):
                for message in batch:
                    self._take(message)
        except (FrameError, ValueError, IndexError, TypeError) as error:
            log.error("the owner of accounts is not understood: %r", error)  # noqa: TRY400 - the trace says nothing
            if self._transport is not None:
                self._transport.abort()

    def _take(self, message: Message) -> None:
        verb = message[0]
        if verb == frames.READY:
            self._ready.set()
            return
        opened = self._numbered.get(message[1])
        if opened is None:
            return  # closed in the meantime
        if verb == frames.GRANTED:
            self._granted(opened, message[2], message[3])
        elif verb == frames.DENIED:
            opened.holder.denied(message[2] if message[2] >= 0 else float("inf"))
        elif verb == frames.RECALLED:
            opened.holder.recalled()
            self._say([frames.ANSWERED, opened.number])
        elif verb == frames.KNOWN:
            opened.holder.known(message[2], message[3])

    def _granted(self, opened: _Open, amount: int, at: float) -> None:
        """Hand a grant over as soon as it may be used, also where the connection is gone by then."""
        delay_s = at - self._clock.monotonic()
        if delay_s <= 0:
            opened.holder.granted(amount)
            return
        opened.ripening += amount

        def ripe() -> None:
            opened.ripening -= amount
            if self._numbered.get(opened.number) is opened:
                opened.holder.granted(amount)

        self._clock.call_later(delay_s, ripe)

    # --- what the process says (Shares) ---------------------------------------------------------------------

    def open(self, counter: str, rule: CounterRule, holder: Holder) -> None:
        """See Shares."""
        opened = self._opened.get(counter)
        if opened is not None and opened.holder is holder:
            opened.rule = rule
            if opened.window is not None:
                opened.window.limit = rule.limit
            self._say([frames.RULE, opened.number, rule.limit, rule.patient])
            return
        if opened is not None:
            self._forget(opened)
        told = self._closed.pop(counter, None)
        opened = _Open(self._next, counter, rule, holder, holder.told() if told is None else told)
        self._next += 1
        self._opened[counter] = self._numbered[opened.number] = opened
        if self._transport is None:
            holder.away()
        else:
            self._say(self._statement(opened))

    def close(self, counter: str) -> None:
        """See Shares."""
        opened = self._opened.get(counter)
        if opened is not None:
            self._forget(opened)

    def _forget(self, opened: _Open) -> None:
        self._tell(opened)
        if opened.rule.kind == "budget":
            self._closed[opened.id] = opened.told
            if len(self._closed) > MAX_CLOSED:
                self._closed.popitem(last=False)
        del self._opened[opened.id]
        del self._numbered[opened.number]
        if self._transport is None:
            self._parting.append(opened)
        self._say([frames.CLOSE, opened.number])

    def want(self, counter: str, least: int, most: int) -> None:
        """See Shares."""
        self._say([frames.WANT, self._opened[counter].number, least, most])

    def used(self, counter: str, amount: int, at: float) -> None:
        """See Shares."""
        opened = self._opened[counter]
        if opened.window is None or amount > 0:
            opened.told += amount
        if opened.window is not None:
            if amount > 0:
                opened.window.pass_to(at)
                opened.window.count(amount, at)
            else:
                opened.window.correct(amount, at)
        if self._transport is None:
            return  # it will be told with all the rest
        if amount < 0:
            self._tell(opened)  # what it takes back, first
            self._say([frames.USED, opened.number, amount, at])
            return
        if not opened.used:
            self._unsaid.append(opened)
            if opened.window is not None:
                self._at_turn()
            elif self._later is None:
                self._later = self._clock.call_later(TELL_S, self._on_time)
        opened.used += amount
        opened.at = max(at, opened.at)

    def back(self, counter: str, amount: int) -> None:
        """See Shares."""
        self._say([frames.BACK, self._opened[counter].number, amount])

    # --- sending --------------------------------------------------------------------------------------------

    def _statement(self, opened: _Open, held: int | None = None) -> Message:
        rule, window = opened.rule, opened.window
        if held is None:
            held = opened.holder.held() + opened.ripening
        uses: list[tuple[float, int]] = []
        if window is not None:
            window.pass_to(self._clock.monotonic())
            uses = window.entries()
        return [
            *(frames.OPEN, opened.number, opened.id, rule.kind, rule.limit, rule.window_s, rule.ends_ms),
            *(rule.patient, held, opened.told, uses),
        ]

    def _say(self, message: Message) -> None:
        if self._transport is None:
            return
        self._out.append(message)
        self._at_turn()

    def _at_turn(self) -> None:
        if not self._soon:
            self._soon = True
            self._clock.call_soon(self._on_turn)

    def _tell(self, opened: _Open) -> None:
        if opened.used:
            self._out.append([frames.USED, opened.number, opened.used, opened.at])
            opened.used = 0

    def _on_turn(self) -> None:
        self._soon = False
        self._flush()

    def _on_time(self) -> None:
        self._later = None
        self._flush()

    def _flush(self) -> None:
        unsaid, self._unsaid = self._unsaid, []
        for opened in unsaid:
            self._tell(opened)
        if self._out and self._transport is not None:
            out, self._out = self._out, []
            self._transport.write(frame(out))
