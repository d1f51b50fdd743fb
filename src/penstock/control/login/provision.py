"""Users that identity providers vouch for: found by their subject, made or joined at their first login."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.config.document import OidcProvider
from penstock.control.audit import Actor
from penstock.control.kinds import check_name
from penstock.control.login.claims import Person
from penstock.control.objects import check
from penstock.control.plane import ControlPlane, Draft
from penstock.control.problems import Denied
from penstock.control.rights import Directory, grants_of
from penstock.ports.control_store import Item
from penstock.ports.identity_store import Identity, IdentityStore


class Provision:
    """Users behind the subjects of identity providers."""

    def __init__(self, plane: ControlPlane, store: IdentityStore, directory: Directory) -> None:
        self._plane = plane
        self._store = store
        self._directory = directory

    def user(self, name: str, provider: OidcProvider, person: Person, subject: str, actor: Actor) -> Item:
        """The user that a subject is, with the teams that the claims name; made where need be.

        Raises Denied, StoreError.
        """
        org = provider.org or ""
        known = self._linked(provider.issuer, subject, org)
        wanted = known if known is not None else self._named(org, person.user)
        held = grants_of(self._directory.items(), "user", org, wanted.name) if wanted is not None else ()
        if not held and not person.grants:
            raise Denied(
                "login_refused", _no_role(provider, wanted.name if wanted is not None else person.user)
            )
        if known is None and wanted is not None:
            self._refuse_taken(wanted)
        if wanted is None and not provider.create:
            raise Denied(
                "login_refused",
                f"there is no user {person.user!r} in {org or 'the installation'!r} yet, and logging in makes "
                f"none (auth.oidc.{name}.create); an administrator adds one: penstock users set {person.user} "
                f"--org {org or '-'}",
            )
        item = self._kept(wanted.name if wanted is not None else person.user, org, person, actor)
        if known is None:
            self._store.link(
                Identity(
                    issuer=provider.issuer, subject=subject, org=org, user=item.name, born_ms=item.created_ms
                )
            )
        return item

    def _linked(self, issuer: str, subject: str, org: str) -> Item | None:
        found = self._store.identity(issuer, subject, org)
        item = self._named(org, found.user) if found is not None else None
        # A later user of the same name is somebody else.
        return item if found is not None and item is not None and item.created_ms == found.born_ms else None

    def _named(self, org: str, user: str) -> Item | None:
        return self._directory.item("user", org, user)

    def _refuse_taken(self, item: Item) -> None:
        """Whoever logs in some way already is not taken over by somebody with the same name. Raises Denied."""
        password = self._store.password(item.org, item.name)
        has_password = password is not None and password.born_ms == item.created_ms
        links = self._store.identities(item.org, item.name)
        has_link = any(one.born_ms == item.created_ms for one in links)
        if has_password or has_link:
            of = f"{item.name} --org {item.org or '-'}"
            ways = [f"penstock users password {of} --remove"] if has_password else []
            ways += [f"penstock users unlink {of}"] if has_link else []
            raise Denied(
                "login_refused",
                f"the user {item.name!r} logs in otherwise already; if that is you, an administrator lets you "
                f"come this way: {' and '.join(ways)}",
            )

    def _kept(self, name: str, org: str, person: Person, actor: Actor) -> Item:
        def edit(draft: Draft) -> None:
            before = draft.get("user", org, name)
            if before is not None and before.managed_by != "api":
                return  # the file says who is in which team; the session has the roles
            body: dict[str, Any] = dict(before.body) if before is not None else {}
            if person.teams is not None:
                body["teams"] = list(person.teams)
            if person.email and "email" not in body:
                body["email"] = person.email
            if before is None:
                check_name(name, "user")
                item = Item(kind="user", org=org, name=name, body=body)
            else:
                item = msgspec.structs.replace(before, body=body)
            if before is None or body != before.body:
                check(draft, item)
                draft.put(item)

        # The browser is not kept waiting for gateways: nothing that they serve hangs on a new user.
        self._plane.change(actor, edit, reason=f"login at {actor.name}", wait_s=0.0)
        item = self._named(org, name)
        if item is None:
            raise Denied("login_refused", f"the user {name!r} was removed at this moment")
        return item


def _no_role(provider: OidcProvider, user: str) -> str:
    claims = sorted({role.claim for role in provider.roles} | ({provider.team_claim or ""} - {""}))
    looked = f" (looked at: {', '.join(claims)})" if claims else ""
    return (
        f"the identity provider knows you as {user!r}, and nothing gives you a role here: neither your "
        f"claims{looked} nor a role binding; ask an administrator for one"
    )
