"""Sums of money by boot, account and slot in `ledger.db`: adding to them, folding them, reading them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from penstock.adapters.ledger.columns import ATTEMPT_COLUMNS
from penstock.adapters.ledger.gather import settled_charge, spend_rows
from penstock.adapters.ledger.rows import Row
from penstock.core.accounts import BRIEF_SLOTS, EARLIER, KEPT_SLOTS, NO_TAGS, slot_of

CHARGE = (
    "INSERT INTO spend VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET nanousd = nanousd + excluded.nanousd"
)
# The version of the tables that kept sums by key and hour.
BEFORE_SPEND = 2
# A finished boot can be asked for by itself for so long.
SETTLED_MS = 3_600_000
FOLDED = ""
_STEP_ROWS = 2_000


def fold(database: sqlite3.Connection, now_ms: int) -> bool:
    """Move or delete one stretch of rows within the caller's transaction; False where there was none."""
    slot = slot_of(now_ms)
    boots = database.execute(
        "SELECT boot, finished AND finished_ms < ? FROM checkpoints", (now_ms - SETTLED_MS,)
    )
    ended = [(FOLDED, 0), *boots.fetchall()]
    return any(
        _shift(database, boot, 1, (0, slot - BRIEF_SLOTS), None)
        or (is_over and _shift(database, boot, 1, (0, 1 << 62), lambda old: (FOLDED, 1, *old)))
        or (is_over and _shift(database, boot, 0, (EARLIER, 1 << 62), lambda old: (FOLDED, 0, *old)))
        or _shift(
            database, boot, 0, (0, slot - KEPT_SLOTS), lambda old, boot=boot: (boot, 0, EARLIER, *old[1:])
        )
        for boot, is_over in ended
    )


def spent(database: sqlite3.Connection, now_ms: int) -> list[tuple[str, str, int, int]]:
    """(boot, account, slot, nano-dollars) as far as slots are kept, what is older at `EARLIER`."""
    slot = slot_of(now_ms)
    kept = "SELECT boot, account, slot, nanousd FROM spend WHERE slot >= CASE brief WHEN 1 THEN ? ELSE ? END"
    rows = database.execute(kept, (slot - BRIEF_SLOTS, slot - KEPT_SLOTS)).fetchall()
    older = "SELECT boot, account, sum(nanousd) FROM spend WHERE brief = 0 AND slot < ? GROUP BY boot, account"
    earlier = database.execute(older, (slot - KEPT_SLOTS,))
    return [*rows, *((boot, account, EARLIER, nanousd) for boot, account, nanousd in earlier)]


def spent_under_way(database: sqlite3.Connection) -> list[Row]:
    """What the exchanges that are open have been charged, for tables that kept no sums by account."""
    columns = ", ".join(f"a.{name}" for name in ATTEMPT_COLUMNS)
    rows = database.execute(
        f"SELECT o.boot, o.event, {columns} FROM attempts a JOIN open_exchanges o USING (request_id)"  # noqa: S608 - our names
    )
    return [
        added
        for boot, blob, *values in rows.fetchall()
        for added in spend_rows(
            boot, [settled_charge(blob, dict(zip(ATTEMPT_COLUMNS, values, strict=True)))], NO_TAGS
        )
    ]


def _shift(
    database: sqlite3.Connection,
    boot: str,
    brief: int,
    slots: tuple[int, int],
    place: Callable[[tuple[int, str, int]], Row] | None,
) -> bool:
    """Add a stretch of a boot's rows with slots in [from, to) to others, or drop it; whether there was any."""
    rows = database.execute(
        "SELECT slot, account, nanousd FROM spend WHERE boot = ? AND brief = ? AND slot >= ? AND slot < ?"
        " ORDER BY slot, account LIMIT ?",
        (boot, brief, *slots, _STEP_ROWS),
    ).fetchall()
    if not rows:
        return False
    database.execute(
        "DELETE FROM spend WHERE boot = ? AND brief = ? AND slot >= ? AND (slot, account) <= (?, ?)",
        (boot, brief, slots[0], *rows[-1][:2]),
    )
    if place is not None:
        database.executemany(CHARGE, map(place, rows))
    return True
