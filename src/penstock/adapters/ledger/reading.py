"""Questions to a ledger, in the SQL that all its stores understand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from penstock.adapters.ledger.judgements import COUNTED, Judgements
from penstock.adapters.ledger.logged import logged
from penstock.adapters.ledger.metering import metered
from penstock.adapters.ledger.sql import Sql
from penstock.core.metering import Metered, MeteringQuery
from penstock.core.scores import Sum
from penstock.ports.ledger import Position

# What rows can be grouped by; beside these `tag.NAME` and `note.NAME`. {day} is a store's own word.
DIMENSIONS = {
    "route": "route",
    "model": "CASE model_answered WHEN '' THEN model ELSE model_answered END",
    "target": "target",
    "key": '"key"',
    "user": '"user"',
    "team": "team",
    "org": "org",
    "feature": "feature",
    "session": "session",
    "task": "task",
    "prompt_version": "prompt_version",
    "dialect": "dialect",
    "endpoint": "endpoint",
    "outcome": "outcome",
    "cache": "cache",
    "service_tier": "service_tier",
    "purpose": "purpose",
    "day": "{day}",
}
TAG_PREFIX = "tag."
NOTE_PREFIX = "note."
SAVED = "cache_saved_nanousd"


# The nearest rank, in milliseconds.
_PERCENTILE = (
    "CAST(max(CASE WHEN place = (size * {} + 99) / 100 THEN total_us ELSE 0 END) AS DOUBLE PRECISION) / 1000"
)


class UnknownDimensionError(ValueError):
    """A grouping that the ledger has no column for."""


class CostLine(msgspec.Struct, frozen=True):
    """One group of `cost`. `cost_nanousd` is the known part; of `unpriced` requests a part is missing."""

    group: dict[str, str]
    requests: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost_nanousd: int
    estimated_nanousd: int
    unpriced: int


class ReportedLine(msgspec.Struct, frozen=True):
    """One group of exchanges whose vendors said what they bill. `reported_nanousd` is that sum.

    `cost_nanousd` is ours for the same exchanges and `difference_nanousd` what was reported beyond it.
    Exchanges that we have no price for are counted in `unpriced`, and what was reported of them in
    `unpriced_reported_nanousd`, in neither of the other sums.
    """

    group: dict[str, str]
    requests: int
    unpriced: int
    cost_nanousd: int
    reported_nanousd: int
    difference_nanousd: int
    unpriced_reported_nanousd: int


class TopLine(msgspec.Struct, frozen=True):
    """One group of `top`; percentiles by nearest rank."""

    group: dict[str, str]
    requests: int
    errors: int
    p50_ms: float
    p95_ms: float
    cost_nanousd: int
    unpriced: int


class SaidLine(msgspec.Struct, frozen=True):
    """How often something was said. `state`: see `adapters.ledger.judgements`."""

    route: str
    target: str
    source: str
    name: str
    state: int
    label: str
    count: int


class SavedLine(NamedTuple):
    """Answers that came from the cache, and what making them had cost: the saving, as far as it had a price."""

    hits: int
    nanousd: int


class LedgerReader:
    """What commands and the dashboard ask of a ledger.

    Methods raise `ports.ledger.LedgerError` where it cannot be read.
    """

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def close(self) -> None:
        """Close it."""
        self._sql.close()

    def positions(self) -> Mapping[str, Position]:
        """How far each boot of this place's journal is projected."""
        return self._sql.positions()

    def exchanges(self, since_ms: int, limit: int) -> Iterator[dict[str, Any]]:
        """Exchanges since an instant as the objects of `penstock logs --json`, oldest first.

        With a limit above 0 only the newest ones.
        """
        mark = self._sql.mark
        query = f"SELECT * FROM exchanges WHERE ts_ms >= {mark} ORDER BY ts_ms {{0}}, request_id {{0}}"  # noqa: S608 - a mark
        if limit:
            newest = query.format("DESC") + f" LIMIT {mark}"
            rows = list(self._sql.ask_named(newest, (since_ms, limit)))
            rows.reverse()
            yield from map(logged, rows)
        else:
            yield from map(logged, self._sql.ask_named(query.format("ASC"), (since_ms,)))

    def cost(self, by: Sequence[str], since_ms: int) -> list[CostLine]:
        """Sums per group since an instant, the dearest first.

        Raises:
            UnknownDimensionError: one of `by` is neither a dimension nor a tag.
        """
        columns, names, values = self._grouping(by)
        query = f"""
            SELECT {columns} count(*), count(*) FILTER (WHERE outcome != 'ok'),
              CAST(sum(input_tokens) AS BIGINT), CAST(sum(output_tokens) AS BIGINT),
              CAST(sum(spent_nanousd) AS BIGINT) AS spent,
              CAST(sum(CASE usage_source WHEN 'estimated' THEN spent_nanousd ELSE 0 END) AS BIGINT),
              count(*) FILTER (WHERE cost_nanousd IS NULL)
            FROM exchanges WHERE ts_ms >= {self._sql.mark} {names} ORDER BY spent DESC, count(*) DESC
        """  # noqa: S608 - columns come from the table above, tag names are bound
        size = len(by)
        rows = self._sql.ask(query, (*values, since_ms))
        return [CostLine(_group(by, row), *row[size:]) for row in rows if row[size]]

    def saved(self, since_ms: int) -> SavedLine:
        """What answers that were kept have saved since an instant."""
        note = f"CAST(coalesce({self._sql.note}, '0') AS BIGINT)"
        query = f"""
            SELECT count(*), coalesce(CAST(sum({note}) AS BIGINT), 0) FROM exchanges
            WHERE cache IN ('exact', 'semantic') AND ts_ms >= {self._sql.mark}
        """  # noqa: S608 - the note's name is bound
        values = (self._sql.bind_tag(SAVED), since_ms)
        return next((SavedLine(*row) for row in self._sql.ask(query, values)), SavedLine(0, 0))

    def reported(self, by: Sequence[str], since_ms: int) -> list[ReportedLine]:
        """Our costs beside the vendors' own since an instant, the largest difference first.

        Raises:
            UnknownDimensionError: one of `by` is neither a dimension nor a tag.
        """
        columns, names, values = self._grouping(by)
        difference = "coalesce(CAST(sum(reported_cost_nanousd - cost_nanousd) AS BIGINT), 0)"
        query = f"""
            SELECT {columns} count(*), count(*) FILTER (WHERE cost_nanousd IS NULL),
              coalesce(CAST(sum(cost_nanousd) AS BIGINT), 0),
              CAST(sum(CASE WHEN cost_nanousd IS NULL THEN 0 ELSE reported_cost_nanousd END) AS BIGINT),
              {difference},
              CAST(sum(CASE WHEN cost_nanousd IS NULL THEN reported_cost_nanousd ELSE 0 END) AS BIGINT)
            FROM exchanges WHERE ts_ms >= {self._sql.mark} AND reported_cost_nanousd IS NOT NULL
            {names} ORDER BY abs({difference}) DESC, count(*) DESC
        """  # noqa: S608 - columns come from the table above, tag names are bound
        size = len(by)
        rows = self._sql.ask(query, (*values, since_ms))
        return [ReportedLine(_group(by, row), *row[size:]) for row in rows if row[size]]

    def top(self, by: Sequence[str], since_ms: int) -> list[TopLine]:
        """Traffic, latency and cost per group since an instant, the busiest first.

        Raises:
            UnknownDimensionError: one of `by` is neither a dimension nor a tag.
        """
        columns, names, values = self._grouping(by)
        size = len(by)
        window = names.replace("GROUP BY", "PARTITION BY")
        groups = "".join(f"g{number}, " for number in range(size))
        query = f"""
            WITH chosen AS (SELECT {columns} outcome, total_us, spent_nanousd, cost_nanousd FROM exchanges
                            WHERE ts_ms >= {self._sql.mark}),
            ranked AS (SELECT chosen.*, row_number() OVER ({window} ORDER BY total_us) AS place,
                              count(*) OVER ({window}) AS size FROM chosen)
            SELECT {groups} count(*), count(*) FILTER (WHERE outcome != 'ok'),
              {_PERCENTILE.format(50)}, {_PERCENTILE.format(95)},
              CAST(sum(spent_nanousd) AS BIGINT), count(*) FILTER (WHERE cost_nanousd IS NULL)
            FROM ranked {names} ORDER BY count(*) DESC
        """  # noqa: S608 - columns come from the table above, tag names are bound
        rows = self._sql.ask(query, (*values, since_ms))
        return [TopLine(_group(by, row), *row[size:]) for row in rows if row[size]]

    def judgements(self, since_ms: int) -> list[Sum]:
        """Judgements and quality gates added up by minute."""
        mark = self._sql.mark
        return Judgements(lambda query, values: self._sql.ask(query.replace("?", mark), values), _nothing).sums(
            since_ms
        )

    def said(self, since_ms: int, route: str | None = None) -> list[SaidLine]:
        """How many pieces of feedback and verdicts there were since an instant, by what became of them."""
        mark = self._sql.mark
        query = f"""
            SELECT route, target, source, name, state, label, count(*) FROM feedback WHERE at_ms >= {mark}
            GROUP BY route, target, source, name, state, label
            ORDER BY route, target, source, name, state, label
        """  # noqa: S608 - a mark
        rows = [SaidLine(*row) for row in self._sql.ask(query, (since_ms,))]
        return [row for row in rows if route is None or row.route in ("", route)]

    def drills(self, route: str | None = None, since_ms: int = 0) -> list[dict[str, Any]]:
        """What came of drills in each gateway that took part, the newest first."""
        mark = self._sql.mark
        query = f"SELECT * FROM drills WHERE began_ms >= {mark} ORDER BY began_ms DESC, id, boot"  # noqa: S608 - a mark
        rows = [dict(row) for row in self._sql.ask_named(query, (since_ms,))]
        return [
            {**row, "planned": bool(row["planned"]), "report": msgspec.json.decode(row["report"])}
            for row in rows
            if route is None or row["route"] == route
        ]

    def scored(self, since_ms: int) -> dict[str, dict[str, float]]:
        """What counts of what was said of requests since an instant: request → name → the last value."""
        query = (
            f"SELECT request_id, name, value FROM feedback WHERE at_ms >= {self._sql.mark}"  # noqa: S608 - a mark
            f" AND state = {COUNTED} AND request_id != '' ORDER BY at_ms"
        )
        found: dict[str, dict[str, float]] = {}
        for request_id, name, value in self._sql.ask(query, (since_ms,)):
            found.setdefault(request_id, {})[name] = float(value)
        return found

    def metered(self, query: MeteringQuery) -> list[Metered]:
        """See ports.metering.MeteringReader."""
        return metered(self._sql, query)

    def _grouping(self, by: Sequence[str]) -> tuple[str, str, list[str]]:
        """The select list, the GROUP BY clause, and the values to bind for tags."""
        columns = ""
        values: list[str] = []
        for number, name in enumerate(by):
            if name.startswith(TAG_PREFIX) and len(name) > len(TAG_PREFIX):
                columns += f"coalesce({self._sql.tag}, '') AS g{number}, "
                values.append(self._sql.bind_tag(name[len(TAG_PREFIX) :]))
            elif name.startswith(NOTE_PREFIX) and len(name) > len(NOTE_PREFIX):
                columns += f"coalesce({self._sql.note}, '') AS g{number}, "
                values.append(self._sql.bind_tag(name[len(NOTE_PREFIX) :]))
            elif name in DIMENSIONS:
                columns += f"{DIMENSIONS[name].format(day=self._sql.day)} AS g{number}, "
            else:
                known = ", ".join(sorted(DIMENSIONS))
                raise UnknownDimensionError(
                    f"{name!r} is nothing to group by; there are {known}, tag.NAME and note.NAME"
                )
        names = ", ".join(f"g{number}" for number in range(len(by)))
        return columns, f"GROUP BY {names}" if names else "", values


def _nothing(statement: str, values: Sequence[object]) -> object:
    """A reader writes nothing."""
    del statement, values
    return None


def _group(by: Sequence[str], row: Sequence[Any]) -> dict[str, str]:
    return {name: str(row[number]) for number, name in enumerate(by)}
