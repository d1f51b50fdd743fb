"""The same five handlers for each kind of object."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, delete, get, put
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import HeaderParameter, PathParameter, QueryParameter

from penstock.control.api.requests import answered, expected, version_etag
from penstock.control.api.shapes import (
    ItemView,
    KeyPage,
    Page,
    applied_view,
    cursor_of,
    item_view,
    place_of,
)
from penstock.control.keys import Keys
from penstock.control.kinds import KINDS, KindInfo
from penstock.control.objects import Asker, Objects
from penstock.control.plane import ControlPlane
from penstock.ports.control_store import Kind

# Stands in a path for "of no organisation"; no organisation can be called so.
NO_ORG = "-"
MOST = 500

IfMatch = Annotated[
    str | None, HeaderParameter(name="If-Match", required=False, description="ETags of which it must have one.")
]
IfNoneMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-None-Match",
        required=False,
        description="ETags that the caller has; `*` on a PUT: only make it.",
    ),
]
Reason = Annotated[
    str, QueryParameter(name="reason", required=False, max_length=500, description="Why, for the history.")
]
OrgPath = Annotated[str, PathParameter(max_length=128, description="The organisation; `-` for none.")]
NamePath = Annotated[str, PathParameter(max_length=128, description="The object's name.")]
Limit = Annotated[int, QueryParameter(ge=1, le=MOST, description="At most so many.")]
Cursor = Annotated[
    str | None, QueryParameter(name="cursor", required=False, description="next_cursor of the page before.")
]
ManagedByFilter = Annotated[
    Literal["file", "environment", "api"] | None, QueryParameter(name="managed_by", required=False)
]

Cascade = Annotated[bool, QueryParameter(description="Remove what belongs to it, too.")]


def org_of(path: str, kind: Kind) -> str:
    """The organisation that a path names."""
    del kind
    return "" if path == NO_ORG else path


def paths(info: KindInfo) -> tuple[str, str]:
    """The paths of a kind's list and of one object."""
    if info.kind == "org":
        return "/orgs", "/orgs/{name:str}"
    if info.tenant:
        return f"/{info.plural}", f"/orgs/{{org:str}}/{info.plural}/{{name:str}}"
    return f"/{info.plural}", f"/{info.plural}/{{name:str}}"


def routers() -> list[HTTPRouteHandler]:
    """All handlers of all kinds."""
    return [handler for info in KINDS.values() for handler in _handlers(info)]


def list_answer(view: Any, if_none_match: str | None) -> Response[Any]:
    """A page with an ETag of its content."""
    digest = hashlib.sha256(msgspec.json.encode(view)).hexdigest()[:16]
    return answered(view, f'W/"{digest}"', if_none_match)


def _handlers(info: KindInfo) -> list[HTTPRouteHandler]:
    one = _tenant(info) if info.tenant and info.kind != "org" else _installation(info)
    return [_list(info), *one]


def _list(info: KindInfo) -> HTTPRouteHandler:
    path, _ = paths(info)

    @get(
        path,
        operation_id=f"list_{info.kind}",
        summary=f"List {info.what}s",
        tags=[info.plural],
        sync_to_thread=True,
    )
    def listing(
        asker: NamedDependency[Asker],
        plane: NamedDependency[ControlPlane],
        org: Annotated[
            str | None, QueryParameter(name="org", required=False, description="Of this organisation.")
        ] = None,
        team: Annotated[
            str | None, QueryParameter(name="team", required=False, description="Of this team.")
        ] = None,
        managed_by: ManagedByFilter = None,
        prefix: Annotated[
            str, QueryParameter(name="prefix", required=False, description="Names that begin so.")
        ] = "",
        limit: Limit = 100,
        cursor: Cursor = None,
        if_none_match: IfNoneMatch = None,
    ) -> Response[Page]:
        after = place_of(cursor, tuple[str, str]) if cursor is not None else None
        found, more = Objects(plane).page(
            asker,
            info.kind,
            org=org_of(org, info.kind) if org is not None else None,
            team=team,
            managed_by=managed_by,
            prefix=prefix,
            after=after,
            limit=limit,
        )
        views: list[Any] = [item_view(plane, item) for item in found]
        following = cursor_of(found[-1].org, found[-1].name) if more else None
        page = KeyPage if info.kind == "key" else Page
        return list_answer(page(items=views, next_cursor=following), if_none_match)

    return listing


def _about(info: KindInfo, verb: str, does: str) -> dict[str, Any]:
    """What the document says of a handler."""
    status = {"status_code": 200} if verb == "delete" else {}
    said = {"operation_id": f"{verb}_{info.kind}", "summary": f"{does} {info.what}", "tags": [info.plural]}
    return {**said, **status, "sync_to_thread": True}


def _installation(info: KindInfo) -> list[HTTPRouteHandler]:
    _, path = paths(info)
    kind = info.kind

    def whose(name: str) -> str:
        return name if kind == "org" else ""

    @get(
        path,
        **_about(info, "get", "Read one"),
    )
    def read(
        asker: NamedDependency[Asker],
        plane: NamedDependency[ControlPlane],
        name: NamePath,
        if_none_match: IfNoneMatch = None,
    ) -> Response[ItemView]:
        return _read(asker, plane, kind, whose(name), name, if_none_match)

    @put(
        path,
        **_about(info, "put", "Make or change one"),
    )
    def write(
        asker: NamedDependency[Asker],
        plane: NamedDependency[ControlPlane],
        name: NamePath,
        sent: NamedDependency[dict[str, Any]],
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
        reason: Reason = "",
    ) -> Response[ItemView]:
        return _write(asker, plane, kind, whose(name), name, sent, if_match, if_none_match, reason)

    @delete(
        path,
        **_about(info, "delete", "Remove one"),
    )
    def remove(
        asker: NamedDependency[Asker],
        plane: NamedDependency[ControlPlane],
        name: NamePath,
        if_match: IfMatch = None,
        reason: Reason = "",
        cascade: Cascade = False,
    ) -> Response[Any]:
        return _remove(asker, plane, kind, whose(name), name, if_match, reason, cascade=cascade)

    return [read, write, remove]


def _tenant(info: KindInfo) -> list[HTTPRouteHandler]:
    _, path = paths(info)
    kind = info.kind

    @get(
        path,
        **_about(info, "get", "Read one"),
    )
    def read(
        asker: NamedDependency[Asker],
        plane: NamedDependency[ControlPlane],
        org: OrgPath,
        name: NamePath,
        if_none_match: IfNoneMatch = None,
    ) -> Response[ItemView]:
        return _read(asker, plane, kind, org_of(org, kind), name, if_none_match)

    @put(
        path,
        **_about(info, "put", "Make or change one"),
    )
    def write(
        asker: NamedDependency[Asker],
        plane: NamedDependency[ControlPlane],
        org: OrgPath,
        name: NamePath,
        sent: NamedDependency[dict[str, Any]],
        if_match: IfMatch = None,
        if_none_match: IfNoneMatch = None,
        reason: Reason = "",
    ) -> Response[ItemView]:
        return _write(asker, plane, kind, org_of(org, kind), name, sent, if_match, if_none_match, reason)

    @delete(
        path,
        **_about(info, "delete", "Remove one"),
    )
    def remove(
        asker: NamedDependency[Asker],
        plane: NamedDependency[ControlPlane],
        org: OrgPath,
        name: NamePath,
        if_match: IfMatch = None,
        reason: Reason = "",
        cascade: Cascade = False,
    ) -> Response[Any]:
        return _remove(asker, plane, kind, org_of(org, kind), name, if_match, reason, cascade=cascade)

    return [read, write, remove]


def _read(
    asker: Asker, plane: ControlPlane, kind: Kind, org: str, name: str, if_none_match: str | None
) -> Response[Any]:
    item = Objects(plane).get(asker, kind, org, name)
    return answered(item_view(plane, item), version_etag(item.version), if_none_match)


def _write(
    asker: Asker,
    plane: ControlPlane,
    kind: Kind,
    org: str,
    name: str,
    body: dict[str, Any],
    if_match: str | None,
    if_none_match: str | None,
    reason: str,
) -> Response[Any]:
    wanted = expected(if_match, if_none_match)
    objects = Objects(plane)
    secret: str | None = None
    if kind == "key":
        item, secret, applied = Keys(objects).put(asker, org, name, body, expected=wanted, reason=reason)
        created = secret is not None
    else:
        item, created, applied = objects.put(asker, kind, org, name, body, expected=wanted, reason=reason)
    view = item_view(plane, item, applied, secret or "")
    return answered(view, version_etag(item.version), status=201 if created else 200)


def _remove(
    asker: Asker,
    plane: ControlPlane,
    kind: Kind,
    org: str,
    name: str,
    if_match: str | None,
    reason: str,
    *,
    cascade: bool,
) -> Response[Any]:
    applied = Objects(plane).delete(
        asker, kind, org, name, expected=expected(if_match, None), reason=reason, cascade=cascade
    )
    return Response(applied_view(applied), status_code=200)
