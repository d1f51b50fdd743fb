"""What the admin API answers, as types; `penstock.client` has the same ones for callers."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from penstock.config.merge import PREFIX, PREVIOUS, ROTATED, key_id
from penstock.control.keys import key_state
from penstock.control.plane import Applied, ControlPlane
from penstock.control.problems import Denied, FieldError
from penstock.ports.control_store import Item

P = TypeVar("P")


class AppliedView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a change. `behind` are live gateways that did not serve it in time; they will."""

    revision: int
    changed: bool
    behind: list[str]


class ItemView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One object. `spec` has the shape of the configuration file; `applied` comes after a change."""

    kind: str
    name: str
    managed_by: str
    version: int
    created_at: str
    updated_at: str
    spec: dict[str, Any]
    org: str = ""
    applied: AppliedView | None = None


class PreviousView(msgspec.Struct, frozen=True, kw_only=True):
    """A secret from before a rotation that still works."""

    until: str


class KeyView(ItemView, frozen=True, kw_only=True, omit_defaults=True):
    """One key. `id` is its name in logs and costs; `secret` is there once, when it is made."""

    id: str
    state: str
    secret_prefix: str = ""
    rotated_at: str = ""
    previous: list[PreviousView] = []
    secret: str = ""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some objects; `next_cursor` leads to the next ones, None where these are the last."""

    items: list[ItemView]
    next_cursor: str | None


class KeyPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some keys; as Page."""

    items: list[KeyView]
    next_cursor: str | None


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457 problem details; `code` is stable and low-cardinality."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: list[FieldError] = []


def timestamp(ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def applied_view(applied: Applied) -> AppliedView:
    """For people and programs."""
    return AppliedView(revision=applied.number, changed=applied.changed, behind=applied.behind)


def item_view(
    plane: ControlPlane, item: Item, applied: Applied | None = None, secret: str = ""
) -> ItemView | KeyView:
    """An object as the API shows it: secrets hidden, what only control knows left out."""
    told: dict[str, Any] = {
        "kind": item.kind,
        "org": item.org,
        "name": item.name,
        "managed_by": item.managed_by,
        "version": item.version,
        "created_at": timestamp(item.created_ms),
        "updated_at": timestamp(item.updated_ms),
        "spec": plane.secrets.shown(item),
        "applied": applied_view(applied) if applied is not None else None,
    }
    if item.kind != "key":
        return ItemView(**told)
    rotated = item.body.get(ROTATED)
    told["spec"].pop("secret", None)
    return KeyView(
        **told,
        id=key_id(item),
        state=key_state(item, plane.now_ms()),
        secret_prefix=item.body.get(PREFIX, ""),
        rotated_at=timestamp(rotated) if rotated is not None else "",
        previous=[PreviousView(until=one["until"]) for one in item.body.get(PREVIOUS, [])],
        secret=secret,
    )


def cursor_of(*place: str | int) -> str:
    """A place in a list as an opaque text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place_of(cursor: str, kind: type[P]) -> P:
    """The place that a cursor names. Raises Denied."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kind)
    except (binascii.Error, ValueError):
        raise Denied("invalid_cursor", "take next_cursor from the page before, as it is") from None
