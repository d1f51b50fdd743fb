"""Events for billing: pages of them, and all of them as lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter
from litestar.response import Stream

from penstock.control.api.audit import moment_of
from penstock.control.api.resources import Cursor, Limit
from penstock.control.metering import Metering
from penstock.control.objects import Asker
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied
from penstock.core.metering import Metered, MeteringError, MeteringQuery, cursor_of
from penstock.core.metering_text import lines_of


class MeteringPage(msgspec.Struct, frozen=True, kw_only=True):
    """Events in the order in which the ledger took them.

    `next_cursor` is None where these are the last for now; `resume` is where to go on when there are more, None
    while there has been none.
    """

    items: list[dict[str, Any]]
    next_cursor: str | None
    resume: str | None


_Text = Annotated[str | None, QueryParameter(required=False, max_length=200)]
_Since = Annotated[
    str | None, QueryParameter(required=False, description="Of requests from then on (RFC 3339).")
]
_Until = Annotated[str | None, QueryParameter(required=False, description="Of requests before then.")]
_Tags = Annotated[
    list[str] | None,
    QueryParameter(
        name="tag", required=False, description="NAME=VALUE that requests must have; may stand twice."
    ),
]


def _query(
    since: str | None,
    until: str | None,
    said: dict[str, str | None],
    tags: list[str] | None,
    cursor: str | None,
    limit: int,
) -> MeteringQuery:
    """Raises Denied."""
    pairs = [tag.partition("=") for tag in tags or ()]
    if any(not name or not sign for name, sign, _ in pairs):
        raise Denied("invalid_request", "tag must be NAME=VALUE")
    try:
        after = cursor_of(cursor) if cursor is not None else None
    except MeteringError as error:
        raise Denied("invalid_cursor", str(error)) from None
    return MeteringQuery(
        since_ms=moment_of(since) or 0,
        until_ms=moment_of(until),
        tags={name: value for name, _, value in pairs},
        after=after,
        limit=limit,
        org=said["org"],
        team=said["team"],
        user=said["user"],
        key=said["key"],
        route=said["route"],
    )


@get(
    "/metering",
    operation_id="list_metering",
    summary="Events for billing, in the order in which the ledger took them",
    tags=["metering"],
    sync_to_thread=True,
)
def events(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    since: _Since = None,
    until: _Until = None,
    org: _Text = None,
    team: _Text = None,
    user: _Text = None,
    key: _Text = None,
    route: _Text = None,
    tag: _Tags = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response[MeteringPage]:
    """One page of what the caller may see."""
    said = {"org": org, "team": team, "user": user, "key": key, "route": route}
    query = _query(since, until, said, tag, cursor, limit + 1)
    found = Metering(plane).page(asker, query)
    shown = found[:limit]
    resume = shown[-1].cursor.text() if shown else cursor
    page = MeteringPage(
        items=[_item(each) for each in shown],
        next_cursor=resume if len(found) > limit else None,
        resume=resume,
    )
    return Response(page, headers={"cache-control": "no-store"})


@get(
    "/metering/export",
    operation_id="export_metering",
    summary="All events for billing as JSON lines or CSV",
    tags=["metering"],
    sync_to_thread=True,
)
def export(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    since: _Since = None,
    until: _Until = None,
    org: _Text = None,
    team: _Text = None,
    user: _Text = None,
    key: _Text = None,
    route: _Text = None,
    tag: _Tags = None,
    form: Annotated[Literal["jsonl", "csv"], QueryParameter(name="format", required=False)] = "jsonl",
    cursor: Cursor = None,
) -> Stream:
    """One event a line, each with the cursor behind it."""
    said = {"org": org, "team": team, "user": user, "key": key, "route": route}
    query = _query(since, until, said, tag, cursor, 1)
    metering = Metering(plane)
    # What is refused must be refused before the first line.
    metering.page(asker, query)
    found = metering.all(asker, query)

    def lines() -> Iterator[bytes]:
        for line in lines_of(found, form):
            yield line.encode()

    return Stream(lines(), media_type="application/x-ndjson" if form == "jsonl" else "text/csv")


def _item(each: Metered) -> dict[str, Any]:
    return {**each.event, "cursor": each.cursor.text()}


HANDLERS: list[HTTPRouteHandler] = [events, export]
