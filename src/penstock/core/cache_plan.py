"""What a route's answers may be kept for, compiled from the document (compile/caching.py)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class CachePlan:
    """A route's cache. `digest` names this configuration; entries made under another one are never served."""

    digest: bytes
