"""ports.control_store on SQLAlchemy Core: the same statements on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Table,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from penstock.adapters.control_db.engine import alone, failed, lock, migrate
from penstock.adapters.control_db.tables import AUDIT, CHANGES, ITEMS, NOTES, REVISIONS, SERVED
from penstock.ports.control_store import (
    AuditQuery,
    AuditRow,
    Change,
    Item,
    Kind,
    Query,
    Revision,
    RevisionQuery,
    Scopes,
    Served,
)

_item = msgspec.json.Decoder(Item)


class SqlReading:
    """Reads in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def head(self) -> int:
        """See the port."""
        return int(self._connection.scalar(select(func.max(REVISIONS.c.number))) or 0)

    def item(self, kind: Kind, org: str, name: str) -> Item | None:
        """See the port."""
        found = self._connection.execute(
            select(ITEMS).where(ITEMS.c.kind == kind, ITEMS.c.org == org, ITEMS.c.name == name)
        ).first()
        return _read_item(found) if found is not None else None

    def items(self, query: Query) -> list[Item]:
        """See the port."""
        wanted: list[ColumnElement[bool]] = [ITEMS.c.kind == query.kind, _visible(ITEMS, query.scopes)]
        for column, value in (("org", query.org), ("team", query.team), ("managed_by", query.managed_by)):
            if value is not None:
                wanted.append(ITEMS.c[column] == value)
        if query.prefix:
            wanted.append(func.substr(ITEMS.c.name, 1, len(query.prefix)) == query.prefix)
        if query.after is not None:
            wanted.append(tuple_(ITEMS.c.org, ITEMS.c.name) > query.after)
        rows = self._connection.execute(
            select(ITEMS).where(*wanted).order_by(ITEMS.c.org, ITEMS.c.name).limit(query.limit)
        )
        return [_read_item(row) for row in rows]

    def all_items(self) -> list[Item]:
        """See the port."""
        rows = self._connection.execute(select(ITEMS).order_by(ITEMS.c.kind, ITEMS.c.org, ITEMS.c.name))
        return [_read_item(row) for row in rows]

    def revision(self, number: int) -> Revision | None:
        """See the port."""
        found = self._connection.execute(select(REVISIONS).where(REVISIONS.c.number == number)).first()
        return Revision(**_fields(found)) if found is not None else None

    def revisions(self, query: RevisionQuery) -> list[Revision]:
        """See the port."""
        wanted: list[ColumnElement[bool]] = [true()]
        if query.author is not None:
            wanted.append(REVISIONS.c.author == query.author)
        if query.origin is not None:
            wanted.append(REVISIONS.c.origin == query.origin)
        if query.before is not None:
            wanted.append(REVISIONS.c.number < query.before)
        rows = self._connection.execute(
            select(REVISIONS).where(*wanted).order_by(REVISIONS.c.number.desc()).limit(query.limit)
        )
        return [Revision(**_fields(row)) for row in rows]

    def changes(self, after: int, upto: int) -> list[tuple[int, Change]]:
        """See the port."""
        rows = self._connection.execute(
            select(CHANGES)
            .where(CHANGES.c.revision > after, CHANGES.c.revision <= upto)
            .order_by(CHANGES.c.revision, CHANGES.c.kind, CHANGES.c.org, CHANGES.c.name)
        )
        return [
            (
                int(row.revision),
                Change(
                    kind=row.kind,
                    org=row.org,
                    name=row.name,
                    before=_item.decode(row.before) if row.before else None,
                    after=_item.decode(row.after) if row.after else None,
                ),
            )
            for row in rows
        ]

    def audit(self, query: AuditQuery) -> list[AuditRow]:
        """See the port."""
        wanted: list[ColumnElement[bool]] = [_visible(AUDIT, query.scopes)]
        for column in ("actor", "action", "kind", "org", "name", "outcome"):
            value = getattr(query, column)
            if value is not None:
                wanted.append(AUDIT.c[column] == value)
        if query.since_ms is not None:
            wanted.append(AUDIT.c.ts_ms >= query.since_ms)
        if query.until_ms is not None:
            wanted.append(AUDIT.c.ts_ms < query.until_ms)
        if query.after is not None:
            wanted.append(AUDIT.c.seq > query.after if query.oldest_first else AUDIT.c.seq < query.after)
        order = AUDIT.c.seq.asc() if query.oldest_first else AUDIT.c.seq.desc()
        rows = self._connection.execute(select(AUDIT).where(*wanted).order_by(order).limit(query.limit))
        return [AuditRow(**_fields(row)) for row in rows]

    def note(self, name: str) -> str | None:
        """See the port."""
        return self._connection.scalar(select(NOTES.c.value).where(NOTES.c.name == name))

    def served(self, since_ms: int) -> list[Served]:
        """See the port."""
        rows = self._connection.execute(
            select(SERVED).where(SERVED.c.seen_ms >= since_ms).order_by(SERVED.c.boot)
        )
        return [Served(**_fields(row)) for row in rows]


class SqlWriting(SqlReading):
    """Reads and writes in one transaction that excludes other writing ones."""

    def put(self, item: Item) -> None:
        """See the port."""
        values = msgspec.structs.asdict(item) | {"body": msgspec.json.encode(item.body).decode()}
        self._replace(ITEMS, ("kind", "org", "name"), values)

    def remove(self, kind: Kind, org: str, name: str) -> None:
        """See the port."""
        self._connection.execute(
            delete(ITEMS).where(ITEMS.c.kind == kind, ITEMS.c.org == org, ITEMS.c.name == name)
        )

    def add_revision(self, revision: Revision, changes: list[Change]) -> None:
        """See the port."""
        self._connection.execute(insert(REVISIONS).values(msgspec.structs.asdict(revision)))
        rows = [
            {
                "revision": revision.number,
                "kind": change.kind,
                "org": change.org,
                "name": change.name,
                "before": _written(change.before),
                "after": _written(change.after),
            }
            for change in changes
        ]
        if rows:
            self._connection.execute(insert(CHANGES), rows)

    def add_audit(self, row: AuditRow) -> None:
        """See the port."""
        self._connection.execute(insert(AUDIT).values(msgspec.structs.asdict(row)))

    def keep_note(self, name: str, value: str) -> None:
        """See the port."""
        self._replace(NOTES, ("name",), {"name": name, "value": value})

    def say_served(self, served: list[Served], forget_before_ms: int) -> None:
        """See the port."""
        for one in served:
            self._replace(SERVED, ("boot",), msgspec.structs.asdict(one))
        self._connection.execute(delete(SERVED).where(SERVED.c.seen_ms < forget_before_ms))

    def _replace(self, table: Table, key: tuple[str, ...], values: dict[str, Any]) -> None:
        # Nobody else writes meanwhile, so that update-or-insert is safe without either database's own words.
        same = and_(*(table.c[name] == values[name] for name in key))
        if self._connection.execute(update(table).where(same).values(values)).rowcount == 0:
            self._connection.execute(insert(table).values(values))


class SqlControlStore:
    """ports.control_store.ControlStore on one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def prepare(self) -> None:
        """See the port."""
        migrate(self._engine)

    @contextmanager
    def reading(self) -> Generator[SqlReading]:
        """See the port."""
        try:
            with self._engine.connect() as connection, connection.begin():
                yield SqlReading(connection)
        except SQLAlchemyError as error:
            raise failed(error) from None

    @contextmanager
    def writing(self) -> Generator[SqlWriting]:
        """See the port."""
        options = alone(self._engine)
        try:
            with self._engine.connect().execution_options(**options) as connection, connection.begin():
                lock(connection)
                yield SqlWriting(connection)
        except SQLAlchemyError as error:
            raise failed(error) from None

    def close(self) -> None:
        """See the port."""
        self._engine.dispose()


def _visible(table: Table, scopes: Scopes | None) -> ColumnElement[bool]:
    """What somebody with these scopes may see; nothing where there are none."""
    if scopes is None:
        return true()
    return or_(
        *(
            and_(table.c.org == org, table.c.team == team) if team else table.c.org == org
            for org, team in scopes
            if org
        ),
        table.c.kind.is_(None),
    )


def _fields(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - its documented name


def _read_item(row: Row[Any]) -> Item:
    values = _fields(row)
    return Item(**{**values, "body": msgspec.json.decode(values["body"])})


def _written(item: Item | None) -> str | None:
    return msgspec.json.encode(item).decode() if item is not None else None
