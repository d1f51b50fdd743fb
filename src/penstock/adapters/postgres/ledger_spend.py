"""Sums of money by boot, account and slot in PostgreSQL: adding to them, folding them, reading them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from penstock.adapters.ledger.rows import Row
from penstock.adapters.postgres.connection import Connection
from penstock.adapters.postgres.ledger_schema import FOLDING
from penstock.adapters.postgres.ledger_values import fitted
from penstock.core.accounts import BRIEF_SLOTS, EARLIER, KEPT_SLOTS, slot_of

# A finished boot can be asked for by itself for so long.
SETTLED_MS = 3_600_000
FOLDED = ""
_STEP_ROWS = 2_000
_CHARGE = """
INSERT INTO spend SELECT * FROM unnest(%s::text[], %s::smallint[], %s::bigint[], %s::text[], %s::bigint[])
ON CONFLICT (boot, brief, slot, account) DO UPDATE SET nanousd = spend.nanousd + excluded.nanousd
"""
_TAKE = """
DELETE FROM spend WHERE (boot, brief, slot, account) IN (
  SELECT boot, brief, slot, account FROM spend
  WHERE boot = %s AND brief = %s AND slot >= %s AND slot < %s ORDER BY slot, account LIMIT %s
) RETURNING slot, account, nanousd
"""


def charge(connection: Connection, rows: Sequence[Row]) -> None:
    """Add rows (boot, brief, slot, account, nano-dollars); no place may be there twice."""
    if rows:
        boots, briefs, slots, accounts, sums = zip(*rows, strict=True)
        names = [fitted(account) for account in accounts]
        connection.execute(_CHARGE, (list(boots), list(briefs), list(slots), names, list(sums)))


def fold(connection: Connection, now_ms: int) -> bool:
    """Move or delete one stretch of rows within the caller's transaction; False where there was none.

    One worker at a time does it for all of them.
    """
    if not _row(connection, "SELECT pg_try_advisory_xact_lock(%s)", FOLDING)[0]:
        return False
    slot = slot_of(now_ms)
    boots = connection.execute(
        "SELECT boot, finished AND finished_ms < %s FROM checkpoints ORDER BY boot", (now_ms - SETTLED_MS,)
    ).fetchall()
    every = [(FOLDED, False), *boots]
    return any(
        _shift(connection, boot, 1, (0, slot - BRIEF_SLOTS), None)
        or (is_over and _shift(connection, boot, 1, (0, 1 << 62), lambda old: (FOLDED, 1, *old)))
        or (is_over and _shift(connection, boot, 0, (EARLIER, 1 << 62), lambda old: (FOLDED, 0, *old)))
        or _shift(
            connection, boot, 0, (0, slot - KEPT_SLOTS), lambda old, boot=boot: (boot, 0, EARLIER, *old[1:])
        )
        for boot, is_over in every
    )


def spent(connection: Connection, now_ms: int) -> list[tuple[str, str, int, int]]:
    """(boot, account, slot, nano-dollars) as far as slots are kept, what is older at `EARLIER`."""
    slot = slot_of(now_ms)
    kept = "SELECT boot, account, slot, nanousd FROM spend WHERE slot >= CASE brief WHEN 1 THEN %s ELSE %s END"
    rows: list[Any] = connection.execute(kept, (slot - BRIEF_SLOTS, slot - KEPT_SLOTS)).fetchall()
    older = "SELECT boot, account, sum(nanousd)::bigint FROM spend WHERE brief = 0 AND slot < %s GROUP BY 1, 2"
    earlier = connection.execute(older, (slot - KEPT_SLOTS,))
    return [*rows, *((boot, account, EARLIER, nanousd) for boot, account, nanousd in earlier)]


def _shift(
    connection: Connection,
    boot: str,
    brief: int,
    slots: tuple[int, int],
    place: Callable[[tuple[int, str, int]], Row] | None,
) -> bool:
    """Add a stretch of a boot's rows with slots in [from, to) to others, or drop it; whether there was any."""
    rows: list[Any] = connection.execute(_TAKE, (boot, brief, *slots, _STEP_ROWS)).fetchall()
    if place is not None:
        sums: dict[Row, int] = {}
        for row in rows:
            *where, nanousd = place(row)
            sums[tuple(where)] = sums.get(tuple(where), 0) + nanousd
        charge(connection, [(*where, sums[where]) for where in sorted(sums)])
    return bool(rows)


def _row(connection: Connection, query: Any, *values: object) -> tuple[Any, ...]:
    row = connection.execute(query, values).fetchone()
    if row is None:
        raise LookupError(query)
    return row
