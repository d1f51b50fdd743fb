"""Judgements as rows of `feedback` and as sums of `scores`, in the SQL that all stores understand.

What somebody says of a request counts for the route and the target that answered it, once the request's row is
there, if it is the caller's. Of two judgements under one name the later one holds. What another machine's
worker has not written yet is looked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from penstock.adapters.ledger.rows import Row
from penstock.core.exchange import COHORT, ExchangeSettled, Judged
from penstock.core.scores import SLOT_MS, SUCCESS, Sum

# `state`: waits for its request; counts; another one came after it; only words; another's request; never found.
WAITING, COUNTED, REPLACED, WORDS, FOREIGN, UNKNOWN = range(6)
FEEDBACK_COLUMNS = (
    *("boot", "seq", "id", "at_ms", "org", "team", "user", "key", "source", "name", "value", "request_id"),
    *("session", "task", "label", "comment", "correction", "route", "target", "cohort", "state"),
)
SCORE_COLUMNS = ("slot", "route", "target", "cohort", "name", "n", "total")
# How long a request is looked for, and how many at a time.
LOOKED_FOR_MS = 3_600_000
PORTION = 500
# Sums older than these are dropped, and of a session or task so many targets are told.
KEPT_MS = 14 * 86_400_000
MOST_TARGETS = 64
_DAY_MS = 86_400_000
_NAMES = ", ".join(f'"{name}"' for name in FEEDBACK_COLUMNS)
_COUNT = f"""
INSERT INTO scores ({", ".join(SCORE_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (slot, route, target, cohort, name) DO UPDATE SET
  n = scores.n + excluded.n, total = scores.total + excluded.total
"""  # noqa: S608 - our names
_MARKS = ", ".join("?" * len(FEEDBACK_COLUMNS))
_PUT = f"INSERT INTO feedback ({_NAMES}) VALUES ({_MARKS}) ON CONFLICT DO NOTHING"  # noqa: S608 - our names
_WAITING = f"""
SELECT {_NAMES} FROM feedback WHERE state = {WAITING} AND at_ms > ? ORDER BY at_ms, boot, seq LIMIT {PORTION}
"""  # noqa: S608 - our names
_THESE = f"SELECT {_NAMES} FROM feedback WHERE state = {WAITING} AND boot = ? AND seq = ?"  # noqa: S608 - our names
_GIVE_UP = f"UPDATE feedback SET state = {UNKNOWN} WHERE state = {WAITING} AND at_ms <= ?"  # noqa: S608 - a number
_OF_REQUEST = "SELECT route, target, notes, org, team FROM exchanges WHERE request_id = ?"
_BEFORE = f"""
SELECT boot, seq, at_ms, value, route, target, cohort FROM feedback
WHERE request_id = ? AND name = ? AND source = ? AND state = {COUNTED}
"""  # noqa: S608 - a number
_STATE = "UPDATE feedback SET state = ?, route = ?, target = ?, cohort = ? WHERE boot = ? AND seq = ?"
_PRUNE = "DELETE FROM scores WHERE slot < ?"
_SUMS = f"SELECT {', '.join(SCORE_COLUMNS)} FROM scores WHERE slot >= ? ORDER BY slot"  # noqa: S608 - our names

Ask = Callable[[str, Sequence[object]], Iterable[Sequence[Any]]]
Run = Callable[[str, Sequence[object]], object]


def of_group(column: str) -> str:
    """Who answered in a session or a task since an instant, newest first."""
    return (
        f"SELECT route, target, notes, org, team FROM exchanges WHERE {column} = ? AND {column} != ''"  # noqa: S608 - our names
        " AND org = ? AND ts_ms > ? AND purpose = '' AND target != '' ORDER BY ts_ms DESC LIMIT 1000"
    )


class Gate(msgspec.Struct, frozen=True):
    """What an exchange says of the target that answered it: whether it passed its route's quality gate."""

    request_id: str
    slot: int
    route: str
    target: str
    cohort: str
    passed: bool


def gate_of(event: ExchangeSettled) -> Gate | None:
    """None for what says nothing of a target: the gateway's own requests, hang-ups, callers' errors, limits."""
    if event.request.purpose or not event.attempts or event.outcome not in ("ok", "error"):
        return None
    if 400 <= event.status < 500:
        return None
    request, target = event.request, event.attempts[-1].target
    slot = event.ended_ms // SLOT_MS
    return Gate(request.request_id, slot, request.route, target, event.notes.get(COHORT, ""), event.success)


def gate_sums(gates: Iterable[Gate]) -> list[Sum]:
    """Gates added up, in the order of `SCORE_COLUMNS`."""
    sums: dict[tuple[int, str, str, str], list[int]] = {}
    for gate in gates:
        each = sums.setdefault((gate.slot, gate.route, gate.target, gate.cohort), [0, 0])
        each[0] += 1
        each[1] += gate.passed
    return [(*at, SUCCESS, n, float(passed)) for at, (n, passed) in sums.items()]


def feedback_row(boot: str, seq: int, event: Judged) -> Row:
    """One judgement in the order of `FEEDBACK_COLUMNS`."""
    who = event.subject
    return (
        *(boot, seq, event.id, event.at_ms, who.org, who.team, who.user, who.key, event.source, event.name),
        *(event.value, event.request_id, event.session, event.task, event.label, event.comment),
        *(event.correction, event.route, event.target, event.cohort),
        WORDS if event.value is None else WAITING,
    )


class Judgements:
    """Writes them within a store's transaction. `ask` gives rows; statements have `?` for values."""

    def __init__(self, ask: Ask, run: Run) -> None:
        self._ask = ask
        self._run = run
        self._counted: dict[tuple[int, str, str, str, str], list[float]] = {}

    def count(self, sums: Iterable[Sum]) -> None:
        """Add to the sums, once they are written."""
        for slot, route, target, cohort, name, n, total in sums:
            each = self._counted.setdefault((slot, route, target, cohort, name), [0, 0.0])
            each[0] += n
            each[1] += total

    def write(self) -> None:
        """Write the sums, sorted: workers that write the same ones then never wait in a circle."""
        for at, (n, total) in sorted(self._counted.items()):
            if n or total:
                self._run(_COUNT, (*at, int(n), total))
        self._counted.clear()

    def take(self, boot: str, found: Iterable[tuple[int, Judged]]) -> None:
        """Put judgements on record, and count those whose requests are there."""
        for seq, event in found:
            self._run(_PUT, feedback_row(boot, seq, event))
            if event.value is not None:
                for row in list(self._ask(_THESE, (boot, seq))):
                    self._match(dict(zip(FEEDBACK_COLUMNS, row, strict=True)))

    def look_again(self, now_ms: int) -> int:
        """Count those whose requests have come since, give up on old ones; how many were looked for."""
        rows = list(self._ask(_WAITING, (now_ms - LOOKED_FOR_MS,)))
        for row in rows:
            self._match(dict(zip(FEEDBACK_COLUMNS, row, strict=True)))
        self.write()
        self._run(_GIVE_UP, (now_ms - LOOKED_FOR_MS,))
        self._run(_PRUNE, ((now_ms - KEPT_MS) // SLOT_MS,))
        return len(rows)

    def sums(self, since_ms: int) -> list[Sum]:
        """What was counted since an instant."""
        return [(*row[:5], int(row[5]), float(row[6])) for row in self._ask(_SUMS, (since_ms // SLOT_MS,))]

    def _match(self, row: dict[str, Any]) -> None:
        if row["route"] and row["target"]:
            self._settle(row, [(row["route"], row["target"], row["cohort"])])
        elif row["request_id"]:
            found = list(self._ask(_OF_REQUEST, (row["request_id"],)))
            self._of(row, found, known=len(found) > 0)
        else:
            column = "session" if row["session"] else "task"
            since = row["at_ms"] - _DAY_MS
            self._of(row, list(self._ask(of_group(column), (row[column], row["org"], since))), known=False)

    def _of(self, row: dict[str, Any], found: Sequence[Sequence[Any]], *, known: bool) -> None:
        """Count for what is the caller's own among these exchanges; `known`: there is no use in waiting."""
        own = [each for each in found if each[3] == row["org"] and row["team"] in ("", each[4])]
        places = dict.fromkeys((each[0], each[1], _cohort(each[2])) for each in own if each[1])
        if places:
            self._settle(row, list(places)[:MOST_TARGETS])
        elif known:
            self._mark(row, UNKNOWN if own else FOREIGN, ("", "", ""))

    def _settle(self, row: dict[str, Any], places: list[tuple[str, str, str]]) -> None:
        if row["request_id"]:
            before = list(self._ask(_BEFORE, (row["request_id"], row["name"], row["source"])))
            for boot, seq, at_ms, value, *place in before:
                self.count([(at_ms // SLOT_MS, *place, row["name"], -1, -float(value))])
                self._run(_STATE, (REPLACED, *place, boot, seq))
        for place in places:
            self.count([(row["at_ms"] // SLOT_MS, *place, row["name"], 1, float(row["value"]))])
        self._mark(row, COUNTED, places[0])

    def _mark(self, row: dict[str, Any], state: int, place: tuple[str, str, str]) -> None:
        self._run(_STATE, (state, *place, row["boot"], row["seq"]))


def _cohort(notes: Any) -> str:
    """Of an exchange's notes, which one store gives as text and the other as an object."""
    told: dict[str, str] = msgspec.json.decode(notes) if isinstance(notes, str) else notes
    return told.get(COHORT, "")
