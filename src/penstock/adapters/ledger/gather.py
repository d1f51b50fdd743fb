"""A batch of events as rows by table, and as sums by account: one pass in memory, before a store is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from penstock.adapters.ledger.columns import USAGE_COLUMNS
from penstock.adapters.ledger.judgements import Gate, gate_of
from penstock.adapters.ledger.rows import Row, drill_row, exchange_row, interrupted, refusal_row
from penstock.core.accounts import MOST_NANOUSD, accounts_of, is_brief, slot_of
from penstock.core.exchange import (
    AttemptFacts,
    AttemptOpened,
    AttemptSettled,
    Drilled,
    ExchangeSettled,
    Judged,
    Projected,
    RequestFacts,
    Subject,
)
from penstock.core.usage import Usage
from penstock.ports.ledger import Flight, OpenAttempt

Charge = tuple[RequestFacts, Subject, AttemptFacts]
# Two of these fit into 64 bits.
_MOST_SUM = 2**62 - 1
_encode = msgspec.msgpack.Encoder().encode
_opened_from = msgspec.msgpack.Decoder(AttemptOpened).decode


@dataclass(slots=True)
class Gathered:
    """What a batch brings. What opens and ends within it never becomes an open row.

    `charges` has each attempt once, by request and index: the first word about it holds.
    """

    exchanges: list[Row] = field(default_factory=list[Row])
    charges: dict[tuple[str, int], Charge] = field(default_factory=dict[tuple[str, int], Charge])
    refusals: list[Row] = field(default_factory=list[Row])
    opened: list[AttemptOpened] = field(default_factory=list[AttemptOpened])
    settled: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    ended: set[str] = field(default_factory=set[str])
    begun: set[tuple[str, int]] = field(default_factory=set[tuple[str, int]])
    gates: list[Gate] = field(default_factory=list[Gate])
    judged: list[tuple[int, Judged]] = field(default_factory=list[tuple[int, Judged]])
    drills: list[Row] = field(default_factory=list[Row])

    def doubtful(self) -> list[str]:
        """The exchanges of which an attempt may have been charged by an earlier batch.

        What was opened in this one was not.
        """
        return list({place[0] for place in self.charges if place not in self.begun})

    def charges_beside(self, known: set[tuple[str, int]]) -> list[Charge]:
        """The charges but for those of attempts that have a row."""
        if not known:
            return list(self.charges.values())
        return [charge for place, charge in self.charges.items() if place not in known]

    def open_exchanges(self, boot: str) -> list[Row]:
        """A row for each exchange that is under way, with its first opening."""
        first = {each.request.request_id: each for each in reversed(self.opened)}
        return [(request_id, boot, _encode(each)) for request_id, each in first.items()]

    def open_attempts(self, boot: str) -> list[Row]:
        """A row for each attempt that is under way."""
        done = set(self.settled)
        return [
            _open_row(boot, each) for each in self.opened if (each.request.request_id, each.index) not in done
        ]


def gather(boot: str, events: Sequence[tuple[int, Projected]]) -> Gathered:
    """Sort the events of one boot into what becomes of them."""
    found = Gathered()
    found.ended = {event.request.request_id for _, event in events if type(event) is ExchangeSettled}
    charges = found.charges
    for seq, event in events:
        if isinstance(event, Judged):
            found.judged.append((seq, event))
            continue
        if isinstance(event, Drilled):
            found.drills.append(drill_row(boot, seq, event))
            continue
        request_id = event.request.request_id
        if isinstance(event, ExchangeSettled):
            found.exchanges.append(exchange_row(event))
            gate = gate_of(event)
            if gate is not None:
                found.gates.append(gate)
            for each in event.attempts:
                charges.setdefault((request_id, each.index), (event.request, event.subject, each))
        elif isinstance(event, AttemptOpened):
            found.begun.add((request_id, event.index))
            if request_id not in found.ended:
                found.opened.append(event)
        elif isinstance(event, AttemptSettled):
            index = event.attempt.index
            charges.setdefault((request_id, index), (event.request, event.subject, event.attempt))
            found.settled.append((request_id, index))
        else:
            found.refusals.append(refusal_row(boot, seq, event))
    return found


def spend_rows(boot: str, charges: Iterable[Charge], tags: frozenset[str]) -> list[Row]:
    """The charges added up by account and slot, in the order of `SPEND_COLUMNS`."""
    slots: dict[int, dict[str, int]] = {}
    for request, subject, attempt in charges:
        if attempt.cost_nanousd:
            cost = min(attempt.cost_nanousd, MOST_NANOUSD)
            sums = slots.setdefault(slot_of(attempt.opened_ms), {})
            for account in accounts_of(subject, request, attempt.target, tags):
                sums[account] = sums.get(account, 0) + cost
    rows = [
        (boot, int(is_brief(account)), slot, account, min(nanousd, _MOST_SUM))
        for slot, sums in slots.items()
        for account, nanousd in sums.items()
    ]
    return sorted(rows)


def charge_of(blob: bytes) -> Charge:
    """What an open attempt of a dead process is charged."""
    event = _opened_from(blob)
    return event.request, event.subject, interrupted(event)


def settled_charge(blob: bytes, row: dict[str, Any]) -> Charge:
    """A charge as its row and its exchange's first opening tell it."""
    event = _opened_from(blob)
    return event.request, event.subject, _attempt_facts(row)


def closed_row(blob: bytes, attempts: Sequence[dict[str, Any]], now_ms: int) -> Row:
    """The row of an exchange whose end was never written, from its first opening and its charged attempts."""
    first = _opened_from(blob)
    return exchange_row(
        ExchangeSettled(
            request=first.request,
            subject=first.subject,
            attempts=[_attempt_facts(each) for each in attempts],
            ended_ms=max(now_ms, first.at_ms),
            outcome="interrupted",
            status=0,
            code="interrupted",
        )
    )


def flights_of(
    exchanges: Iterable[tuple[str, str]],
    open_blobs: Iterable[bytes],
    settled: Iterable[tuple[str, int]],
    tags: frozenset[str],
) -> dict[str, Flight]:
    """What is under way: of (request id, boot) pairs, open attempts' events, and (request id, index) pairs."""
    boots = dict(exchanges)
    left: dict[str, list[OpenAttempt]] = {}
    done: dict[str, list[int]] = {}
    for blob in open_blobs:
        event = _opened_from(blob)
        accounts = accounts_of(event.subject, event.request, event.target, tags)
        attempt = OpenAttempt(
            event.index, accounts, slot_of(event.at_ms), min(event.reserved_nanousd or 0, MOST_NANOUSD)
        )
        left.setdefault(event.request.request_id, []).append(attempt)
    for request_id, index in settled:
        done.setdefault(request_id, []).append(index)
    return {
        request_id: Flight(boot, tuple(left.get(request_id, ())), tuple(done.get(request_id, ())))
        for request_id, boot in boots.items()
    }


def _open_row(boot: str, event: AttemptOpened) -> Row:
    request = event.request
    return (
        *(request.request_id, event.index, boot, event.subject.key, event.at_ms, event.reserved_nanousd),
        _encode(event),
    )


def _attempt_facts(row: dict[str, Any]) -> AttemptFacts:
    values = dict(row)
    usage = Usage(**{name: values.pop(name, 0) for name in USAGE_COLUMNS})  # 0: before it was counted
    del values["request_id"], values["key"]
    return AttemptFacts(index=values.pop("idx"), usage=usage, **values)
