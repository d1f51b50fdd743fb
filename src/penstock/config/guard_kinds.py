"""The kinds of guards that are built in: what options each takes, and what follows from a finding."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import NamedTuple

from penstock.core.screen_plan import Action

GROUP = "penstock.guards"
# The guard that is always there: answers must have the form that was asked for.
SCHEMA = "schema"
# What every guard may say.
COMMON = frozenset(
    {"kind", "action", "threshold", "on_error", "deadline_s", "roles", "reversible", "message", "to"}
)


class GuardKind(NamedTuple):
    """`takes`: its own options; `needs`: those of them that must be said, at least one of each tuple.

    `sides`: where it makes sense. `asks`: it asks somebody else, so that it sees whole texts only.
    """

    takes: frozenset[str] = frozenset()
    needs: tuple[tuple[str, ...], ...] = ()
    action: Action = "block"
    threshold: float = 0.5
    sides: frozenset[str] = frozenset({"input", "output"})
    asks: bool = False


_INPUT = frozenset({"input"})
_OUTPUT = frozenset({"output"})

KINDS: dict[str, GuardKind] = {
    "pii": GuardKind(frozenset({"entities"}), action="redact"),
    "secrets": GuardKind(frozenset({"entities"}), action="redact"),
    "injection": GuardKind(sides=_INPUT, threshold=0.8),
    "encodings": GuardKind(frozenset({"entities"})),
    "leakage": GuardKind(sides=_OUTPUT),
    "exfiltration": GuardKind(frozenset({"allow"}), action="redact"),
    "unsafe_output": GuardKind(action="redact", sides=_OUTPUT),
    "regex": GuardKind(frozenset({"patterns"}), (("patterns",),)),
    "keywords": GuardKind(frozenset({"words"}), (("words",),)),
    "brands": GuardKind(frozenset({"words"}), (("words",),), action="warn"),
    "phrases": GuardKind(frozenset({"words"}), action="redact", sides=_INPUT),
    "length": GuardKind(frozenset({"min_chars", "max_chars"}), (("min_chars", "max_chars"),)),
    "language": GuardKind(frozenset({"languages"}), (("languages",),)),
    "urls": GuardKind(frozenset({"allow", "deny"}), (("allow", "deny"),), action="redact"),
    "untrusted": GuardKind(action="redact", sides=_INPUT),
    "webhook": GuardKind(frozenset({"url", "secret"}), (("url",),), asks=True),
    "judge": GuardKind(frozenset({"route", "question"}), (("route",), ("question",)), asks=True),
    "groundedness": GuardKind(frozenset({"route"}), (("route",),), sides=_OUTPUT, asks=True),
    "moderation": GuardKind(frozenset({"route", "entities"}), (("route",),), asks=True),
    "presidio": GuardKind(frozenset({"entities", "languages"}), action="redact", asks=True),
}


@cache
def plugins() -> frozenset[str]:
    """The kinds that installed packages bring."""
    return frozenset([each.name for each in entry_points(group=GROUP)])


def known_kinds() -> list[str]:
    """All kinds that may be named here."""
    return sorted({*KINDS, *plugins()})
