"""How a route shortens prompts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CompressRule:
    """Repetitions are taken out; `keep` below 1: that share of long material is kept, and the rest is lost."""

    keep: float = 1.0
