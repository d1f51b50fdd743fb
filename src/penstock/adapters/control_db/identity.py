"""ports.identity_store on SQLAlchemy Core: the same statements on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, Table, and_, delete, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from penstock.adapters.control_db.engine import alone, failed, lock
from penstock.adapters.control_db.identity_tables import (
    ATTEMPTS,
    FLOWS,
    IDENTITIES,
    PASSWORDS,
    SESSIONS,
    SPENT_TOKENS,
)
from penstock.ports.identity_store import Flow, Granted, Identity, Password, Session

HOUR_MS = 3_600_000
FLOW_MS = 600_000
FIRST_WAIT_MS = 1_000
_grants = msgspec.json.Decoder(tuple[Granted, ...])


class SqlIdentityStore:
    """ports.identity_store.IdentityStore on one engine, whose tables SqlControlStore.prepare makes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def _reading(self) -> Generator[Connection]:
        try:
            with self._engine.connect() as connection, connection.begin():
                yield connection
        except SQLAlchemyError as error:
            raise failed(error) from None

    @contextmanager
    def _writing(self) -> Generator[Connection]:
        try:
            with (
                self._engine.connect().execution_options(**alone(self._engine)) as connection,
                connection.begin(),
            ):
                lock(connection)
                yield connection
        except SQLAlchemyError as error:
            raise failed(error) from None

    # --- passwords --------------------------------------------------------------------------------------------

    def password(self, org: str, user: str) -> Password | None:
        """See the port."""
        with self._reading() as connection:
            found = connection.execute(select(PASSWORDS).where(_of(PASSWORDS, org, user))).first()
        return Password(**_fields(found)) if found is not None else None

    def keep_password(self, password: Password) -> None:
        """See the port."""
        values = msgspec.structs.asdict(password)
        with self._writing() as connection:
            same = _of(PASSWORDS, password.org, password.user)
            if connection.execute(update(PASSWORDS).where(same).values(values)).rowcount == 0:
                connection.execute(insert(PASSWORDS).values(values))

    def forget_password(self, org: str, user: str) -> bool:
        """See the port."""
        with self._writing() as connection:
            return connection.execute(delete(PASSWORDS).where(_of(PASSWORDS, org, user))).rowcount > 0

    # --- sessions ---------------------------------------------------------------------------------------------

    def session(self, digest: str) -> Session | None:
        """See the port."""
        with self._reading() as connection:
            found = connection.execute(select(SESSIONS).where(SESSIONS.c.digest == digest)).first()
        return _session(found) if found is not None else None

    def sessions(self, org: str, user: str) -> list[Session]:
        """See the port."""
        with self._reading() as connection:
            rows = connection.execute(
                select(SESSIONS).where(_of(SESSIONS, org, user)).order_by(SESSIONS.c.created_ms.desc())
            )
            return [_session(row) for row in rows]

    def add_session(self, session: Session) -> None:
        """See the port."""
        values = msgspec.structs.asdict(session) | {"grants": msgspec.json.encode(session.grants).decode()}
        with self._writing() as connection:
            connection.execute(insert(SESSIONS).values(values))

    def touch_session(self, digest: str, seen_ms: int) -> None:
        """See the port."""
        with self._writing() as connection:
            connection.execute(update(SESSIONS).where(SESSIONS.c.digest == digest).values(seen_ms=seen_ms))

    def end_session(self, digest: str) -> bool:
        """See the port."""
        with self._writing() as connection:
            return connection.execute(delete(SESSIONS).where(SESSIONS.c.digest == digest)).rowcount > 0

    def end_sessions(self, org: str, user: str, but: str = "") -> int:
        """See the port."""
        with self._writing() as connection:
            others = and_(_of(SESSIONS, org, user), SESSIONS.c.digest != but)
            return int(connection.execute(delete(SESSIONS).where(others)).rowcount)

    def end_provider_sessions(self, method: str, subject: str, sid: str) -> list[Session]:
        """See the port."""
        known = SESSIONS.c
        wanted = [known.method == method]
        if subject:
            wanted.append(known.subject == subject)
        if sid:
            wanted.append(or_(known.sid == sid, known.sid == "") if subject else known.sid == sid)
        if len(wanted) == 1:
            return []
        with self._writing() as connection:
            found = [_session(row) for row in connection.execute(select(SESSIONS).where(and_(*wanted)))]
            connection.execute(delete(SESSIONS).where(and_(*wanted)))
        return found

    def spend(self, digest: str, until_ms: int) -> bool:
        """See the port."""
        with self._writing() as connection:
            same = SPENT_TOKENS.c.digest == digest
            if connection.execute(select(SPENT_TOKENS).where(same)).first() is not None:
                return False
            connection.execute(insert(SPENT_TOKENS).values(digest=digest, until_ms=until_ms))
        return True

    # --- attempts ---------------------------------------------------------------------------------------------

    def attempt(self, bounds: dict[str, tuple[int, int]], now_ms: int) -> int:
        """See the port."""
        with self._writing() as connection:
            rows = connection.execute(select(ATTEMPTS).where(ATTEMPTS.c.name.in_(bounds)))
            found = [_fields(row) for row in rows]
            known = {str(one["name"]): (int(one["count"]), int(one["last_ms"])) for one in found}
            live = {name: seen for name, seen in known.items() if now_ms - seen[1] < HOUR_MS}
            until = max((_blocked(*live[name], *bounds[name]) for name in live), default=0)
            if until > now_ms:
                return until
            for name in bounds:
                count = live[name][0] + 1 if name in live else 1
                values = {"name": name, "count": count, "last_ms": now_ms}
                if name in known:
                    connection.execute(update(ATTEMPTS).where(ATTEMPTS.c.name == name).values(values))
                else:
                    connection.execute(insert(ATTEMPTS).values(values))
        return 0

    def forgive(self, names: list[str]) -> None:
        """See the port."""
        with self._writing() as connection:
            connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.name.in_(names)))

    # --- identity providers -----------------------------------------------------------------------------------

    def add_flow(self, flow: Flow) -> None:
        """See the port."""
        with self._writing() as connection:
            connection.execute(insert(FLOWS).values(msgspec.structs.asdict(flow)))

    def take_flow(self, digest: str) -> Flow | None:
        """See the port."""
        with self._writing() as connection:
            found = connection.execute(select(FLOWS).where(FLOWS.c.digest == digest)).first()
            connection.execute(delete(FLOWS).where(FLOWS.c.digest == digest))
        return Flow(**_fields(found)) if found is not None else None

    def identity(self, issuer: str, subject: str, org: str) -> Identity | None:
        """See the port."""
        with self._reading() as connection:
            found = connection.execute(select(IDENTITIES).where(_link(issuer, subject, org))).first()
        return Identity(**_fields(found)) if found is not None else None

    def identities(self, org: str, user: str) -> list[Identity]:
        """See the port."""
        with self._reading() as connection:
            rows = connection.execute(select(IDENTITIES).where(_of(IDENTITIES, org, user)))
            return [Identity(**_fields(row)) for row in rows]

    def link(self, identity: Identity) -> None:
        """See the port."""
        same = _link(identity.issuer, identity.subject, identity.org)
        with self._writing() as connection:
            connection.execute(delete(IDENTITIES).where(same))
            connection.execute(insert(IDENTITIES).values(msgspec.structs.asdict(identity)))

    def unlink(self, org: str, user: str) -> int:
        """See the port."""
        with self._writing() as connection:
            return int(connection.execute(delete(IDENTITIES).where(_of(IDENTITIES, org, user))).rowcount)

    def prune(self, now_ms: int, idle_ms: int) -> None:
        """See the port."""
        over = or_(SESSIONS.c.expires_ms <= now_ms, SESSIONS.c.seen_ms <= now_ms - idle_ms)
        with self._writing() as connection:
            connection.execute(delete(SESSIONS).where(over))
            connection.execute(delete(SPENT_TOKENS).where(SPENT_TOKENS.c.until_ms <= now_ms))
            connection.execute(delete(FLOWS).where(FLOWS.c.created_ms <= now_ms - FLOW_MS))
            connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.last_ms <= now_ms - HOUR_MS))


def _blocked(count: int, last_ms: int, free: int, longest_ms: int) -> int:
    """Until when no further attempt is let through."""
    if count < free:
        return 0
    return last_ms + min(longest_ms, FIRST_WAIT_MS << min(count - free, 30))


def _of(table: Table, org: str, user: str) -> Any:
    return and_(table.c.org == org, table.c.user == user)


def _link(issuer: str, subject: str, org: str) -> Any:
    known = IDENTITIES.c
    return and_(known.issuer == issuer, known.subject == subject, known.org == org)


def _session(row: Row[Any]) -> Session:
    values = _fields(row)
    values["grants"] = _grants.decode(values["grants"])
    return Session(**values)


def _fields(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - its documented name
