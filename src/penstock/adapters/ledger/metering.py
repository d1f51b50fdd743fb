"""Events for billing, from the rows of exchanges, which are written once and never change.

The order is that in which the ledger took them, not that of their times: a row that comes late (a worker was
down, a process died) stands behind what was exported before, so that a cursor misses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from penstock.adapters.ledger.logged import logged
from penstock.adapters.ledger.sql import Sql
from penstock.core.metering import Cursor, Metered, MeteringError, MeteringQuery

_GONE = (
    "the ledger does not know this cursor any more: it was made anew. Export again from a time before the last"
    " event that you have; events keep their ids, so drop those that you know"
)


def metered(sql: Sql, query: MeteringQuery) -> list[Metered]:
    """See ports.metering."""
    where = [sql.settled, f"ts_ms >= {sql.mark}"]
    bound: list[object] = [query.since_ms]
    if query.until_ms is not None:
        where.append(f"ts_ms < {sql.mark}")
        bound.append(query.until_ms)
    said = {"org": query.org, "team": query.team, "user": query.user, "key": query.key, "route": query.route}
    for column, value in said.items():
        if value is not None:
            where.append(f'"{column}" = {sql.mark}')
            bound.append(value)
    for name, value in query.tags.items():
        where.append(f"{sql.tag} = {sql.mark}")
        bound += [sql.bind_tag(name), value]
    if query.places is not None:
        where.append(_within(sql, query.places, bound))
    if query.after is not None:
        _check(sql, query.after)
        where.append(f"({sql.place}, request_id) > ({sql.mark}, {sql.mark})")
        bound += [query.after.place, query.after.id]
    text = (
        f"SELECT {sql.place} AS place, exchanges.* FROM exchanges WHERE {' AND '.join(where)}"  # noqa: S608 - names of ours; values are bound
        f" ORDER BY {sql.place}, request_id LIMIT {sql.mark}"
    )
    rows = list(sql.ask_named(text, (*bound, query.limit)))
    return [Metered(event_of(row), Cursor(row["place"], row["request_id"])) for row in rows]


def _within(sql: Sql, places: tuple[tuple[str, str], ...], bound: list[object]) -> str:
    parts: list[str] = []
    for org, team in places:
        parts.append(f"(org = {sql.mark}" + (f" AND team = {sql.mark})" if team else ")"))
        bound += [org, team] if team else [org]
    return f"({' OR '.join(parts)})" if parts else "1 = 0"


def _check(sql: Sql, cursor: Cursor) -> None:
    query = f"SELECT 1 FROM exchanges WHERE {sql.place} = {sql.mark} AND request_id = {sql.mark}"  # noqa: S608 - names of ours
    if not list(sql.ask(query, (cursor.place, cursor.id))):
        raise MeteringError(_GONE)


def event_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """One event. `charged_nanousd` is what budgets count; `cost_nanousd` is null where a part has no price."""
    told = logged(row)
    kept = (
        *("ts", "org", "team", "user", "key", "route", "target", "credential", "model", "endpoint", "session"),
        *("task", "purpose", "parent", "tags", "outcome", "attempts", "usage", "usage_source", "cost_nanousd"),
        *("price_card", "service_tier", "reported_cost_nanousd"),
    )
    event = {name: told[name] for name in kept}
    return {
        "id": row["request_id"],
        **event,
        "ended_ms": row["ended_ms"],
        "charged_nanousd": row["spent_nanousd"],
    }
