"""Kept answers: what gateways say of them, and taking some away."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, delete, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from penstock.control.api.resources import Reason
from penstock.control.kept import KeptAnswers, Wanted
from penstock.control.objects import Asker
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied


class StoreView(msgspec.Struct, frozen=True, kw_only=True):
    """One store; null where it cannot tell."""

    name: str
    entries: int | None = None
    size: int | None = None
    most: int | None = None
    evicted: int | None = None
    errors: int = 0


class CacheView(msgspec.Struct, frozen=True, kw_only=True):
    """What one gateway keeps, and what became of look-ups by route since it began."""

    gateway: str
    routes: dict[str, dict[str, int]]
    stores: list[StoreView]


class CacheList(msgspec.Struct, frozen=True, kw_only=True):
    """All gateways of this machine; `silent` did not answer."""

    items: list[CacheView]
    silent: list[str]


class PurgedBy(msgspec.Struct, frozen=True, kw_only=True):
    """How many entries a gateway took away, null where its store does not count; `why` it failed."""

    gateway: str
    taken: int | None = None
    why: str = ""


class PurgedView(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of requests that came until `before_ms` are served by none of `gateways` any more."""

    before_ms: int
    gateways: list[PurgedBy]
    silent: list[str]


_Text = Annotated[str, QueryParameter(required=False, max_length=500)]
_All = Annotated[bool, QueryParameter(name="all", required=False, description="Where nothing is named.")]


@get(
    "/cache",
    operation_id="get_cache",
    summary="Tell what this machine's gateways keep of answers, and how often it was of use",
    tags=["cache"],
    sync_to_thread=True,
)
def status(asker: NamedDependency[Asker], plane: NamedDependency[ControlPlane]) -> Response[CacheList]:
    """By gateway, route and store."""
    found, silent = KeptAnswers(plane).told(asker)
    told = CacheList(items=msgspec.convert(found, list[CacheView]), silent=silent)
    return Response(told, headers={"cache-control": "no-store"})


@delete(
    "/cache",
    operation_id="purge_cache",
    summary="Take kept answers away: by organisation, route, tag, key, user or entry",
    tags=["cache"],
    status_code=200,
    sync_to_thread=True,
)
def purge(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    org: _Text = "",
    route: _Text = "",
    tag: _Text = "",
    key: _Text = "",
    user: _Text = "",
    entry: _Text = "",
    everything: _All = False,
    reason: Reason = "",
) -> PurgedView:
    """All that is named must hold for an entry; `all=true` where nothing is named.

    Returns when every gateway of this machine has said that it serves none of them, or names those that have
    not. Where `server.cache.store` is `redis`, gateways on other machines hear of it there.
    """
    wanted = Wanted(org=org, route=route, tag=tag, key=key, user=user, entry=entry)
    if wanted == Wanted() and not everything:
        raise Denied("invalid_request", "name what is to be taken away, or say all=true")
    return msgspec.convert(KeptAnswers(plane).purge(asker, wanted, plane.now_ms(), reason), PurgedView)


HANDLERS: list[HTTPRouteHandler] = [status, purge]
