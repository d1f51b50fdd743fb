"""Builders of events, a clock without a loop, and a directory whose n-th operation fails."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from penstock.adapters.files.posix import PosixDirectory, PosixSegment
from penstock.core.exchange import (
    AdmissionRefused,
    AttemptFacts,
    AttemptOpened,
    AttemptSettled,
    ExchangeSettled,
    RequestFacts,
    Subject,
)
from penstock.core.usage import Usage
from penstock.ledger.journal.settings import JournalSettings
from penstock.ledger.journal.writer import Journal
from penstock.ports.files import SegmentDirectory

SUBJECT = Subject(org="acme", team="research", user="42", key="dev")


class FakeTimer:
    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due, self.call, self.cancelled = due, call, False

    def cancel(self) -> None:
        self.cancelled = True


class FakeClock:
    """Virtual time; `turn` ends a turn of the loop."""

    def __init__(self) -> None:
        self.now = 100.0
        self.soon: list[Callable[[], None]] = []
        self.timers: list[FakeTimer] = []

    def monotonic(self) -> float:
        return self.now

    def now_ms(self) -> int:
        return 1_790_000_000_000 + int(self.now * 1000)

    def call_later(self, delay_s: float, call: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(self.now + delay_s, call)
        self.timers.append(timer)
        return timer

    def call_soon(self, call: Callable[[], None]) -> None:
        self.soon.append(call)

    def turn(self) -> None:
        calls, self.soon = self.soon, []
        for call in calls:
            call()

    def advance(self, seconds: float) -> None:
        self.now += seconds
        due = [timer for timer in self.timers if timer.due <= self.now]
        self.timers = [timer for timer in self.timers if timer.due > self.now]
        for timer in due:
            if not timer.cancelled:
                timer.call()


class FailingDirectory:
    """A directory whose n-th file operation raises; `limit` bytes can be allocated in all."""

    def __init__(self, path: Path, fail_at: frozenset[int] = frozenset(), limit: int | None = None) -> None:
        self.inner = PosixDirectory(path)
        self.fail_at = fail_at
        self.limit = limit
        self.count = itertools.count(1)
        self.done = 0
        self.last: FailingSegment | None = None

    def step(self) -> None:
        self.done = next(self.count)
        if self.done in self.fail_at:
            raise OSError(5, "injected")

    def create(self, name: str) -> FailingSegment:
        self.step()
        self.last = FailingSegment(self.inner.create(name), self)
        return self.last

    def used_bytes(self) -> int:
        return self.inner.used_bytes()


class FailingSegment:
    def __init__(self, inner: PosixSegment, owner: FailingDirectory) -> None:
        self.inner, self.owner = inner, owner

    @property
    def name(self) -> str:
        return self.inner.name

    def write_at(self, data: bytes, offset: int) -> None:
        try:
            self.owner.step()
        except OSError:
            self.inner.write_at(data[: len(data) // 2], offset)
            raise
        self.inner.write_at(data, offset)

    def allocate(self, offset: int, length: int) -> None:
        self.owner.step()
        if self.owner.limit is not None:
            if length > self.owner.limit:
                raise OSError(28, "No space left on device")
            self.owner.limit -= length
        self.inner.allocate(offset, length)

    def truncate(self, size: int) -> None:
        self.owner.step()
        self.inner.truncate(size)

    def sync(self) -> None:
        self.owner.step()

    def sync_soon(self) -> None:
        self.owner.step()

    def publish(self) -> None:
        self.owner.step()
        self.inner.publish()

    def close(self) -> None:
        self.inner.close()

    def discard(self) -> None:
        self.inner.discard()


def facts(number: int = 1, ts_ms: int = 1_790_000_000_000) -> RequestFacts:
    """A request; its id carries its number."""
    return RequestFacts(
        request_id=f"req_{number:08d}",
        ts_ms=ts_ms,
        dialect="openai_chat",
        endpoint="chat.completions",
        route="support",
        model="support",
        session="s1",
        feature="search",
        tags={"feature": "search"},
    )


def opened(
    number: int = 1, index: int = 1, reserved: int | None = 500, ts_ms: int = 1_790_000_000_000
) -> AttemptOpened:
    """An attempt begins."""
    return AttemptOpened(
        facts(number, ts_ms),
        SUBJECT,
        index,
        ts_ms,
        "openai/gpt-4o",
        "gpt-4o",
        reserved,
        Usage(100, 50),
        "card",
    )


def attempt(index: int = 1, cost: int | None = 123, outcome: str = "ok") -> AttemptFacts:
    """An attempt's end."""
    return AttemptFacts(
        index=index,
        target="openai/gpt-4o",
        model="gpt-4o",
        opened_ms=1_790_000_000_000,
        outcome=outcome,  # type: ignore[arg-type]
        cause="" if outcome == "ok" else "status_429",
        status=200 if outcome == "ok" else 429,
        usage=Usage(90, 40, 10) if outcome == "ok" else Usage(),
        cost_nanousd=cost,
        reserved_nanousd=500,
        price_card="card",
        total_us=3_000,
    )


def attempt_settled(number: int = 1, index: int = 1, cost: int | None = 0) -> AttemptSettled:
    """A try that another one follows."""
    return AttemptSettled(facts(number), SUBJECT, attempt(index, cost, "error"))


def settled(
    number: int = 1, attempts: list[AttemptFacts] | None = None, ts_ms: int = 1_790_000_000_000
) -> ExchangeSettled:
    """An exchange's end, after one attempt unless told otherwise."""
    return ExchangeSettled(
        facts(number, ts_ms),
        SUBJECT,
        [attempt()] if attempts is None else attempts,
        ended_ms=ts_ms + 5,
        outcome="ok",
        status=200,
        success=True,
        ttft_us=700,
        total_us=4_000,
        overhead_us=60,
    )


def refused(number: int = 1) -> AdmissionRefused:
    """A request turned away."""
    return AdmissionRefused(facts(number), SUBJECT, 429, "rate_limited")


def make_journal(
    directory: SegmentDirectory,
    clock: FakeClock,
    *,
    boot: str = "b1",
    settings: JournalSettings | None = None,
    errors: list[Exception] | None = None,
) -> Journal:
    """A started journal that collects what it reports."""
    heard = errors if errors is not None else []
    journal = Journal(directory, clock, boot=boot, on_error=heard.append, settings=settings)
    journal.start()
    return journal
