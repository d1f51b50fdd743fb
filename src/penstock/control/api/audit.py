"""Reading, exporting and verifying the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.response import Stream

from penstock.control.api.resources import Cursor, IfNoneMatch, Limit, list_answer
from penstock.control.api.shapes import cursor_of, place_of
from penstock.control.audit import Verdict, exported, rows
from penstock.control.objects import Asker
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied
from penstock.core.permissions import Target, allows, visible
from penstock.ports.control_store import AuditQuery, Scopes


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """Entries, the newest first; each as it stands in the log, with what links it to the one before."""

    items: list[dict[str, Any]]
    next_cursor: str | None


Since = Annotated[
    str | None, QueryParameter(name="since", required=False, description="From this moment on (RFC 3339).")
]
Until = Annotated[str | None, QueryParameter(name="until", required=False, description="Before this moment.")]
_TEXT_BASE = QueryParameter(required=False)
_TEXT = QueryParameter(required=False, max_length=200)


def _scopes(asker: Asker) -> Scopes | None:
    found = visible(asker.principal, "audit")
    if found == ():
        raise Denied("forbidden", f"{asker.principal.name} may not read the audit log")
    return found


def moment_of(text: str | None) -> int | None:
    """A moment in milliseconds of the epoch, None where none is said. Raises Denied."""
    if text is None:
        return None
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Denied(
            "invalid_request", f"{text[:40]!r} is no moment; write it like 2026-12-01T12:00:00Z"
        ) from None


@get(
    "/audit",
    operation_id="list_audit",
    summary="List audit entries, the newest first",
    tags=["audit"],
    sync_to_thread=True,
)
def entries(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    actor: Annotated[str | None, _TEXT] = None,
    action: Annotated[str | None, _TEXT] = None,
    kind: Annotated[str | None, _TEXT] = None,
    org: Annotated[str | None, _TEXT] = None,
    name: Annotated[str | None, _TEXT] = None,
    outcome: Annotated[Literal["done", "denied", "failed"] | None, _TEXT_BASE] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    if_none_match: IfNoneMatch = None,
) -> Response[AuditPage]:
    """One page of what the caller may see."""
    query = AuditQuery(
        actor=actor,
        action=action,
        kind=kind,
        org=org,
        name=name,
        outcome=outcome,
        since_ms=moment_of(since),
        until_ms=moment_of(until),
        scopes=_scopes(asker),
        after=place_of(cursor, tuple[int])[0] if cursor is not None else None,
        limit=limit + 1,
    )
    with plane.store.reading() as reading:
        found = reading.audit(query)
    following = cursor_of(found[limit - 1].seq) if len(found) > limit else None
    page = AuditPage(items=[exported(row) for row in found[:limit]], next_cursor=following)
    return list_answer(page, if_none_match)


@get(
    "/audit/export",
    operation_id="export_audit",
    summary="All entries as JSON lines, the oldest first",
    tags=["audit"],
    sync_to_thread=True,
)
def export(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    since: Since = None,
    until: Until = None,
) -> Stream:
    """One entry a line, with the digests of the chain."""
    query = AuditQuery(scopes=_scopes(asker), since_ms=moment_of(since), until_ms=moment_of(until))

    def lines() -> Iterator[bytes]:
        with plane.store.reading() as reading:
            for row in rows(reading, query):
                yield msgspec.json.encode(exported(row)) + b"\n"

    return Stream(lines(), media_type="application/x-ndjson")


@get(
    "/audit/verify",
    operation_id="verify_audit",
    summary="Say whether the log is whole",
    tags=["audit"],
    sync_to_thread=True,
)
def verify(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    head: Annotated[
        str, QueryParameter(name="head", required=False, max_length=100, description="A head noted earlier.")
    ] = "",
) -> Verdict:
    """Walks the whole chain, and compares it with the anchors and with a head that was noted earlier."""
    if not allows(asker.principal, "read", Target("audit")):
        raise Denied("forbidden", f"{asker.principal.name} may not verify the installation's audit log")
    return plane.audit.verify(plane.store, head)


HANDLERS: list[HTTPRouteHandler] = [entries, export, verify]
