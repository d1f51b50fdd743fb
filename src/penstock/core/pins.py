"""A target that is held to one model: what its answers must name."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

# A note of an exchange: what an answer named instead of what its target is pinned to, as `target: model`.
UNPINNED = "unpinned"


@dataclass(frozen=True, slots=True)
class Pin:
    """`model` is what answers must name, `*` in it for anything; `falls_over`: others are not accepted."""

    model: str
    falls_over: bool

    def broken(self, answered: str) -> bool:
        """Whether an answer names another model; one that names none is taken for what was asked for."""
        return bool(answered) and not fnmatchcase(answered, self.model)
