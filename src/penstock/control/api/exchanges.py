"""Requests under way in this machine's gateways: a list of them, and the end of one."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, delete, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter, QueryParameter

from penstock.control.api.resources import Cursor, Limit, Reason
from penstock.control.api.shapes import cursor_of, place_of
from penstock.control.exchanges import Exchanges
from penstock.control.objects import Asker
from penstock.control.plane import ControlPlane


class ExchangeView(msgspec.Struct, frozen=True, kw_only=True):
    """One request under way. `state`: waiting, upstream or streaming; `gateway`: who serves it."""

    request_id: str
    org: str
    team: str
    user: str
    key: str
    route: str
    target: str | None
    endpoint: str
    dialect: str
    stream: bool
    session: str
    attempts: int
    state: str
    age_ms: int
    reserved_nanousd: int | None
    bytes_out: int
    gateway: str


class ExchangeList(msgspec.Struct, frozen=True, kw_only=True):
    """Requests under way, the oldest first; `silent` are gateways of this machine that did not answer."""

    items: list[ExchangeView]
    next_cursor: str | None
    silent: list[str]


class KilledView(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was stopped."""

    request_id: str
    stopped: bool


_Text = Annotated[str | None, QueryParameter(required=False, max_length=200)]


@get(
    "/exchanges",
    operation_id="list_exchanges",
    summary="List the requests that are under way on this machine, the oldest first",
    tags=["exchanges"],
    sync_to_thread=True,
)
def listing(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    org: _Text = None,
    team: _Text = None,
    user: _Text = None,
    key: _Text = None,
    route: _Text = None,
    target: _Text = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response[ExchangeList]:
    """Those that the caller may see, filtered."""
    said = {"org": org, "team": team, "user": user, "key": key, "route": route, "target": target}
    filters = {name: value for name, value in said.items() if value is not None}
    after = place_of(cursor, tuple[str])[0] if cursor is not None else None
    found, more, silent = Exchanges(plane).page(asker, filters, after, limit)
    views = msgspec.convert(found, list[ExchangeView])
    following = cursor_of(views[-1].request_id) if more else None
    told = ExchangeList(items=views, next_cursor=following, silent=silent)
    return Response(told, headers={"cache-control": "no-store"})


@delete(
    "/exchanges/{request_id:str}",
    operation_id="kill_exchange",
    summary="Stop one request that is under way",
    tags=["exchanges"],
    status_code=200,
    sync_to_thread=True,
)
def kill(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    request_id: Annotated[str, PathParameter(max_length=128, description="The request's id.")],
    reason: Reason = "",
) -> KilledView:
    """The upstream is cut off, what was generated is charged, and the client gets `403 exchange_killed`."""
    Exchanges(plane).kill(asker, request_id, reason)
    return KilledView(request_id=request_id, stopped=True)


HANDLERS: list[HTTPRouteHandler] = [listing, kill]
