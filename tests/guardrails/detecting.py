"""Detectors for tests: small rules whose reach is known."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from penstock.core.detector import WHOLE, Finding, Role
from penstock.core.screen_plan import Action, Guard


@dataclass
class Rule:
    """Finds what a pattern matches; `reach` characters decide on each match."""

    pattern: str
    reach: int = 24
    kind: str = "RULE"
    looked: list[str] = field(default_factory=list[str])

    @property
    def look_behind(self) -> int:
        """See Detector."""
        return self.reach

    def look(self, text: str, role: Role) -> list[Finding]:
        """See Detector."""
        self.looked.append(role)
        found = re.finditer(self.pattern, text)
        return [Finding(each.start(), each.end(), self.kind, 1.0, "rule") for each in found]


class Broken:
    """A detector with a defect."""

    look_behind = WHOLE

    def look(self, text: str, role: Role) -> list[Finding]:
        """See Detector."""
        raise RuntimeError(text + role)


def guard(pattern: str, action: Action = "redact", *, name: str = "rule", reach: int = 24) -> Guard:
    """A guard with such a rule."""
    return Guard(name, "rule", action, detector=Rule(pattern, reach, name.upper()))
