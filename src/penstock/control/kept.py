"""Kept answers, for who looks after them: how much there is, and taking some away."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.control.audit import Event
from penstock.control.objects import Asker
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied
from penstock.core.permissions import Place, Target, allows


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries; all that is named must hold for one. Nothing named: all of them."""

    org: str = ""
    route: str = ""
    tag: str = ""
    key: str = ""
    user: str = ""
    entry: str = ""


class KeptAnswers:
    """The caches of this machine's gateways."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def told(self, asker: Asker) -> tuple[list[dict[str, Any]], list[str]]:
        """What each gateway says, and those that say nothing. Raises Denied."""
        if not allows(asker.principal, "read", Target("exchange")):
            raise Denied("forbidden", f"{asker.principal.name} may not look at what the installation keeps")
        live = self._plane.live
        return live.cache() if live is not None else ([], [])

    def purge(self, asker: Asker, wanted: Wanted, before_ms: int, reason: str) -> dict[str, Any]:
        """Take entries away that were asked for until now. Raises Denied, StoreError."""
        named = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value}
        said = ", ".join(f"{name} {value}" for name, value in named.items()) or "all entries"
        event = Event(action="purge", kind="cache", org=wanted.org, name="", reason=reason, detail=said)
        target = Target("exchange", Place(wanted.org), wanted.user)
        if not allows(asker.principal, "delete", target):
            self._plane.note(asker.actor, msgspec.structs.replace(event, outcome="denied"))
            what = f"of {wanted.org}" if wanted.org else "of all organisations; name yours (org)"
            raise Denied("forbidden", f"{asker.principal.name} may not take away answers {what}")
        live = self._plane.live
        gateways, silent = live.purge({"before_ms": before_ms, **named}) if live is not None else ([], [])
        self._plane.note(asker.actor, event)
        return {"before_ms": before_ms, "gateways": gateways, "silent": silent}
