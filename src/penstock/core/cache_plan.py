"""What a route's answers may be kept for, compiled from the document (compile/caching.py)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Literal

from penstock.core.predicates import Condition

CacheScope = Literal["user", "key", "team", "org", "global"]
DAY_S = 86_400


@dataclass(frozen=True, slots=True, eq=False)
class SemanticPlan:
    """Answers to requests that mean the same. `deadline_s`: how long the look-up may take.

    `bound` is the share of wrong hits of a learnt threshold, 0 for a fixed one. `verify`: words, strict or off.
    `shadow`: look and learn, and serve nothing.
    """

    threshold: float
    ttl_s: int
    deadline_s: float = 0.1
    bound: float = 0.0
    verify: str = "words"
    shadow: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class CachePlan:
    """A route's cache.

    `digest` names everything that decides how this route answers: its policy, its targets, their parameters and
    prices, and this plan. Entries made under another one are never found. `names` are what the policy's
    conditions ask of the caller: their values are part of an entry's key, so that nobody gets the answer of a
    target that the policy would not have led to. `stale_s` is how long beyond its time an answer is kept for an
    outage, `stale_if_error_s` how much of that answers where no node asks for it. `also` has what is kept
    besides whole answers in text.
    """

    digest: bytes
    scope: CacheScope = "org"
    ttl_s: int = 3600
    stale_s: int = 0
    stale_if_error_s: int = 0
    when: Condition | None = None
    skips_time: bool = True
    narrows_personal: bool = True
    also: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    wait_s: float = 30.0
    max_entry_bytes: int = 1_000_000
    semantic: SemanticPlan | None = None

    def held(self, targets: tuple[str, ...], most_days: int | None) -> CachePlan | None:
        """The plan where only these targets (ids) may be used, and data may be kept for so many days at most.

        None where nothing may be kept at all.
        """
        if most_days == 0:
            return None
        digest = blake2b(
            b"\0".join([self.digest, *[each.encode() for each in targets]]), digest_size=32
        ).digest()
        if most_days is None:
            return replace(self, digest=digest)
        most_s = most_days * DAY_S
        ttl_s = min(self.ttl_s, most_s)
        stale_s = min(self.stale_s, most_s - ttl_s)
        return replace(self, digest=digest, ttl_s=ttl_s, stale_s=stale_s)
