"""Which guards look at a route's requests and answers, compiled from the document (compile/screens.py)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class ScreenPlan:
    """A route's guards.

    `digest` names their configuration: what was let through under another one is not served from the cache.
    """

    digest: bytes
