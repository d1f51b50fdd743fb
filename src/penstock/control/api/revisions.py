"""The history of the configuration: revisions, differences, rollback, and several changes as one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter, QueryParameter

from penstock.control.api.requests import answered
from penstock.control.api.resources import Cursor, IfNoneMatch, Limit, Reason, list_answer
from penstock.control.api.shapes import AppliedView, applied_view, cursor_of, place_of, timestamp
from penstock.control.apply import Changes, apply
from penstock.control.objects import Asker, Objects
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied
from penstock.control.revisions import Difference, Revisions
from penstock.ports.control_store import Revision, RevisionQuery


class RevisionView(msgspec.Struct, frozen=True, kw_only=True):
    """One revision; `content` is what gateways call the configuration that it led to."""

    number: int
    created_at: str
    author: str
    origin: str
    reason: str
    content: str


class RevisionDetail(RevisionView, frozen=True, kw_only=True):
    """A revision with what it changed."""

    changes: list[Difference]


class RevisionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Revisions, the newest first."""

    items: list[RevisionView]
    next_cursor: str | None


class DiffView(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two revisions."""

    old: int
    new: int
    changes: list[Difference]


Number = Annotated[int, PathParameter(ge=0, le=2**53, description="A revision's number.")]


def _view(revision: Revision) -> dict[str, Any]:
    told = msgspec.structs.asdict(revision)
    return {
        **{k: v for k, v in told.items() if k != "created_ms"},
        "created_at": timestamp(revision.created_ms),
    }


@get(
    "/revisions",
    operation_id="list_revisions",
    summary="List revisions, the newest first",
    tags=["revisions"],
    sync_to_thread=True,
)
def history(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    author: Annotated[str | None, QueryParameter(name="author", required=False)] = None,
    origin: Annotated[
        Literal["file", "api", "rollback"] | None, QueryParameter(name="origin", required=False)
    ] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    if_none_match: IfNoneMatch = None,
) -> Response[RevisionPage]:
    """One page."""
    before = place_of(cursor, tuple[int])[0] if cursor is not None else None
    query = RevisionQuery(author=author, origin=origin, before=before, limit=limit + 1)
    found = Revisions(plane).page(asker, query)
    views = [RevisionView(**_view(one)) for one in found[:limit]]
    following = cursor_of(found[limit - 1].number) if len(found) > limit else None
    return list_answer(RevisionPage(items=views, next_cursor=following), if_none_match)


@get(
    "/revisions/{number:int}",
    operation_id="get_revision",
    summary="Read one revision and what it changed",
    tags=["revisions"],
    sync_to_thread=True,
)
def one(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    number: Number,
    if_none_match: IfNoneMatch = None,
) -> Response[RevisionDetail]:
    """A revision never changes."""
    revision, changes = Revisions(plane).get(asker, number)
    return answered(RevisionDetail(**_view(revision), changes=changes), f'"{number}"', if_none_match)


@get(
    "/revisions/{number:int}/diff",
    operation_id="diff_revisions",
    summary="What differs between two revisions",
    tags=["revisions"],
    sync_to_thread=True,
)
def diff(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    number: Number,
    to: Annotated[
        int | None,
        QueryParameter(
            name="to",
            required=False,
            ge=0,
            le=2**53,
            description="The other revision; without it, the newest.",
        ),
    ] = None,
) -> DiffView:
    """In the direction from `number` to `to`."""
    revisions = Revisions(plane)
    new = to if to is not None else revisions.head(asker)
    return DiffView(old=number, new=new, changes=revisions.diff(asker, number, new))


@post(
    "/revisions/{number:int}/rollback",
    operation_id="rollback",
    summary="Make a new revision with the configuration of an old one",
    tags=["revisions"],
    status_code=200,
    sync_to_thread=True,
)
def rollback(
    asker: NamedDependency[Asker], plane: NamedDependency[ControlPlane], number: Number, reason: Reason = ""
) -> AppliedView:
    """Keys, people and roles stay as they are."""
    return applied_view(Revisions(plane).rollback(asker, number, reason=reason))


class ApplyView(msgspec.Struct, frozen=True, kw_only=True):
    """What several changes as one did, or would do."""

    changes: list[Difference]
    applied: AppliedView | None


@post(
    "/apply",
    operation_id="apply",
    summary="Make several changes as one revision",
    tags=["revisions"],
    status_code=200,
    sync_to_thread=True,
)
def apply_changes(
    asker: NamedDependency[Asker],
    plane: NamedDependency[ControlPlane],
    sent: NamedDependency[dict[str, Any]],
    dry_run: Annotated[bool, QueryParameter(name="dry_run", description="Only say what would change.")] = False,
    reason: Reason = "",
) -> ApplyView:
    """All of it or none: `{"set": {section: {name: spec}}, "remove": {section: [name]}}`."""
    try:
        wanted = msgspec.convert(sent, Changes)
    except msgspec.ValidationError as error:
        raise Denied("invalid_request", str(error)) from None
    changes, applied = apply(Objects(plane), asker, wanted, dry_run=dry_run, reason=reason)
    return ApplyView(changes=changes, applied=applied_view(applied) if applied is not None else None)


HANDLERS: list[HTTPRouteHandler] = [history, one, diff, rollback, apply_changes]
