"""Virtual keys: made with a secret that is shown once, rotated with an overlap, revoked for good."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from penstock.config.merge import PREFIX, PREVIOUS, ROTATED, SECRET_HASH, STATE, is_active
from penstock.config.source import Json
from penstock.config.values import BadValueError, moment
from penstock.control.kinds import check_name, team_of
from penstock.control.objects import ANYTHING, Asker, Expected, Objects, check, editable, missing
from penstock.control.plane import Applied, Draft
from penstock.control.problems import Denied
from penstock.control.rights import may_act_for
from penstock.control.secrets import refuse_reserved
from penstock.ports.control_store import Item, Kind

SECRET_BEGINS = "sk-penstock-"  # noqa: S105 - how every secret begins
SHOWN_CHARACTERS = len(SECRET_BEGINS) + 5
DEFAULT_OVERLAP_S = 86_400
MAX_OVERLAP_S = 90 * 86_400
# Each rotation may begin while the one before still overlaps; more secrets than this are a leak in waiting.
MAX_PREVIOUS = 4
_KEY: Kind = "key"


def new_secret() -> str:
    """A secret with 256 random bits, recognisable by scanners for leaked keys."""
    return SECRET_BEGINS + secrets.token_urlsafe(32)


def sha256_of(secret: str) -> str:
    """What is kept of it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def written(ms: int) -> str:
    """A moment as text."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def key_state(item: Item, now_ms: int) -> str:
    """`active`, `revoked` or `expired`."""
    if not is_active(item):
        return "revoked"
    until = item.body.get("expires_at")
    if isinstance(until, str):
        try:
            return "expired" if moment(until) <= now_ms else "active"
        except BadValueError:
            return "active"
    return "active"


class Keys:
    """What can be done with virtual keys besides reading and deleting them."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._plane = objects.plane

    def create(
        self, asker: Asker, org: str, name: str, body: dict[str, Any], *, reason: str = ""
    ) -> tuple[Item, str, Applied]:
        """A new key and its secret, which nobody can be shown again. Raises Denied, StoreError."""
        item, secret, applied = self.put(asker, org, name, body, expected=Expected(absent=True), reason=reason)
        return item, secret or "", applied

    def put(
        self,
        asker: Asker,
        org: str,
        name: str,
        body: dict[str, Any],
        *,
        expected: Expected = ANYTHING,
        reason: str = "",
    ) -> tuple[Item, str | None, Applied]:
        """Make a key, or change what it may do; its secret where it was made. Raises Denied, StoreError."""
        check_name(name, _KEY)
        refuse_reserved(body)
        _refuse_secrets(body)
        secret = new_secret()

        def edit(draft: Draft) -> bool:
            before = draft.get(_KEY, org, name)
            self._objects.may_see(asker, before, _KEY, org, name)
            known = _known(before) if before is not None else _made(secret)
            item = Item(kind=_KEY, org=org, name=name, team=_team(body), body={**body, **known})
            self._objects.permit(asker, "write", item, before)
            if before is not None and expected.absent:
                raise Denied("already_exists", f"there is a key {name!r} already; choose another name")
            expected.check(before)
            editable(before)
            check(draft, item)
            self._subject(asker, draft, item)
            if before is not None:
                item = msgspec.structs.replace(
                    item, version=before.version, created_ms=before.created_ms, updated_ms=before.updated_ms
                )
            draft.put(item)
            return before is None

        created, applied = self._run(asker, org, name, edit, reason, "")
        return self._objects.fresh(_KEY, org, name), secret if created else None, applied

    def rotate(
        self,
        asker: Asker,
        org: str,
        name: str,
        *,
        overlap_s: int = DEFAULT_OVERLAP_S,
        expected: Expected = ANYTHING,
        reason: str = "",
    ) -> tuple[Item, str, Applied]:
        """A new secret; the one before works for `overlap_s` seconds more. Raises Denied, StoreError."""
        if not 0 <= overlap_s <= MAX_OVERLAP_S:
            raise Denied("invalid_request", f"overlap_s is from 0 to {MAX_OVERLAP_S}")
        secret = new_secret()

        def edit(draft: Draft) -> None:
            before = self._editable(asker, draft, org, name, expected)
            if not is_active(before):
                raise Denied("key_revoked", "a revoked key cannot be rotated; create another one")
            self._subject(asker, draft, before)
            previous = [one for one in before.body.get(PREVIOUS, []) if moment(one["until"]) > draft.now_ms]
            if overlap_s:
                until = written(draft.now_ms + overlap_s * 1000)
                previous.append({"sha256": before.body[SECRET_HASH], "until": until})
            if len(previous) > MAX_PREVIOUS:
                raise Denied(
                    "config_invalid", f"{MAX_PREVIOUS} earlier secrets still work; rotate with overlap_s=0"
                )
            if not overlap_s:
                previous = []
            body = {**before.body, **_made(secret), PREVIOUS: previous, ROTATED: draft.now_ms}
            draft.put(msgspec.structs.replace(before, body=body))

        _, applied = self._run(asker, org, name, edit, reason, "rotate")
        return self._objects.fresh(_KEY, org, name), secret, applied

    def revoke(
        self, asker: Asker, org: str, name: str, *, expected: Expected = ANYTHING, reason: str = ""
    ) -> tuple[Item, Applied]:
        """Refuse the key, its earlier secrets too; again changes nothing. Raises Denied, StoreError."""

        def edit(draft: Draft) -> None:
            before = self._editable(asker, draft, org, name, expected)
            if is_active(before):
                draft.put(msgspec.structs.replace(before, body={**before.body, STATE: "revoked", PREVIOUS: []}))

        _, applied = self._run(asker, org, name, edit, reason, "revoke")
        return self._objects.fresh(_KEY, org, name), applied

    def _run(
        self,
        asker: Asker,
        org: str,
        name: str,
        edit: Callable[[Draft], Any],
        reason: str,
        action: str,
    ) -> tuple[Any, Applied]:
        return self._objects.audited(
            asker,
            "write",
            _KEY,
            org,
            name,
            lambda: self._plane.change(asker.actor, edit, reason=reason, action=action),
        )

    def _editable(self, asker: Asker, draft: Draft, org: str, name: str, expected: Expected) -> Item:
        before = draft.get(_KEY, org, name)
        self._objects.may_see(asker, before, _KEY, org, name)
        if before is None:
            raise missing(_KEY, org, name)
        self._objects.permit(asker, "write", before, before)
        expected.check(before)
        editable(before)
        return before

    def _subject(self, asker: Asker, draft: Draft, item: Item) -> None:
        """A key that administers is somebody's, and only who could grant as much may make it. Raises Denied."""
        user, account = item.body.get("user"), item.body.get("service_account")
        if user is not None and account is not None:
            raise Denied("config_invalid", "a key is a user's or a service_account's, not both")
        if account is not None and draft.get("service_account", item.org, str(account)) is None:
            raise Denied("config_invalid", f"there is no service account {account!r} in {item.org!r}")
        wanted = item.body.get("admin_api", False)
        if not isinstance(wanted, bool):
            raise Denied("config_invalid", "admin_api: write true or false")
        if not wanted:
            return
        kind: Kind = "service_account" if account is not None else "user"
        name = str(account if account is not None else user or "")
        if draft.get(kind, item.org, name) is None:
            raise Denied("config_invalid", "admin_api: name the user or service_account that the key acts for")
        if not may_act_for(asker.principal, draft.items, kind, item.org, name):
            raise Denied(
                "forbidden", f"{asker.principal.name} may not act for {name}, who has rights beyond yours"
            )


def _made(secret: str) -> dict[str, Json]:
    return {SECRET_HASH: sha256_of(secret), PREFIX: secret[:SHOWN_CHARACTERS]}


def _known(before: Item) -> dict[str, Json]:
    return {name: value for name, value in before.body.items() if name.startswith("$")}


def _team(body: dict[str, Any]) -> str:
    return team_of(Item(kind=_KEY, name="", body={}), body)


def _refuse_secrets(body: dict[str, Any]) -> None:
    for name, why in (
        ("secret", "secrets are made here and shown once"),
        ("previous", "rotate the key"),
        ("name", "the name stands in the address"),
        ("org", "the organisation stands in the address"),
    ):
        if name in body:
            raise Denied("config_invalid", f"{name}: cannot be set; {why}")
