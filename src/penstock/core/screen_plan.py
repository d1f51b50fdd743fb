"""The guards of a route, ready to look: the part of a Plan that the screening stages use."""

from __future__ import annotations

from typing import Literal, cast

from penstock.core.detector import WHOLE, Detector, Leakable, Role, Settled, Writes
from penstock.core.hook import Hook

Action = Literal["block", "redact", "warn", "log", "route"]
"""What follows from a finding.

`block`: the request is refused, or the answer withheld. `redact`: the span is replaced. `warn`: the client is
told in a header, the ledger in a note. `log`: only the ledger. `route`: another route answers.
"""
Asked = Literal["webhook", "judge", "moderation", "inference"]


class Remote:
    """A guard that is asked and answers later.

    `webhook`: `hook` says where. `judge`: the route `about` is asked `question` with the text. `moderation`:
    the route `about` is asked at `/v1/moderations`. `inference`: the inference process is asked by the name
    `about`. `grounded`: the judge is shown the request's context, too.
    """

    __slots__ = ("about", "asked", "grounded", "hook", "question")

    def __init__(
        self,
        asked: Asked,
        about: str = "",
        question: str = "",
        hook: Hook | None = None,
        *,
        grounded: bool = False,
    ) -> None:
        self.asked: Asked = asked
        self.about = about
        self.question = question
        self.hook = hook
        self.grounded = grounded


class Guard:
    """One guard as configured. Exactly one of `detector` and `remote` is set.

    `closed`: where the guard itself fails, it counts as a finding that blocks. `roles`: whose texts it looks
    at, None for everybody's. `reversible`: what it redacts is put back into the answer. `to`: the route of
    the action `route`. `message`: what the client is told of a block. `deadline_s` bounds remote guards.
    """

    __slots__ = (
        "action", "closed", "deadline_s", "detector", "kind", "leakable", "look_behind", "message", "name",
        "remote", "reversible", "roles", "settles", "threshold", "to", "writes",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        kind: str,
        action: Action = "block",
        *,
        detector: Detector | None = None,
        remote: Remote | None = None,
        threshold: float = 0.5,
        closed: bool = True,
        roles: frozenset[Role] | None = None,
        reversible: bool = False,
        to: str = "",
        message: str = "",
        deadline_s: float = 2.0,
    ) -> None:
        self.name = name
        self.kind = kind
        self.action: Action = action
        self.detector = detector
        self.remote = remote
        self.threshold = threshold
        self.closed = closed
        self.roles = roles
        self.reversible = reversible
        self.to = to
        self.message = message
        self.deadline_s = deadline_s
        self.look_behind: int = detector.look_behind if detector is not None else WHOLE
        # What a detector can do besides, found once.
        self.settles = cast("Settled", detector) if hasattr(detector, "settled") else None
        self.writes = cast("Writes", detector) if hasattr(detector, "written") else None
        self.leakable = cast("Leakable", detector) if hasattr(detector, "knowing") else None

    def looks_at(self, role: Role) -> bool:
        """Whether it is for texts of this role."""
        return self.roles is None or role in self.roles

    def knowing(self, texts: tuple[tuple[Role, str], ...]) -> Guard:
        """The guard for the answer to a request that said `texts`: itself, unless its detector compares."""
        if self.leakable is None:
            return self
        return Guard(
            self.name,
            self.kind,
            self.action,
            detector=self.leakable.knowing(texts),
            threshold=self.threshold,
            closed=self.closed,
            roles=self.roles,
            reversible=self.reversible,
            to=self.to,
            message=self.message,
            deadline_s=self.deadline_s,
        )


class ScreenPlan:
    """A route's guards. `context`: marks between which a user's text is somebody else's, as (before, after).

    `digest` changes with anything that the guards' configuration says: a cache's key holds it.
    """

    __slots__ = ("context", "digest", "input", "output")

    def __init__(
        self,
        input: tuple[Guard, ...],  # noqa: A002 - the configuration's word
        output: tuple[Guard, ...],
        digest: bytes,
        context: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.input = input
        self.output = output
        self.digest = digest
        self.context = context
