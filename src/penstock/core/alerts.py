"""Alerts: a rule looks at a value, and what it finds is raised once, until it is better or a pause is over.

Who notices something (a gateway, the worker) makes an `Alert`; the worker alone decides whether it is news,
logs it and sends it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


class Alert(msgspec.Struct, frozen=True, array_like=True):
    """Something that somebody should know. It stands in journals, so fields may only be appended.

    `kind` is dotted, such as `budget.share`; `subject` says what it is about (`key dev`), `org` whose that
    is, empty for the installation itself. `value` has reached `threshold`. Alerts with one `fingerprint` are
    about the same thing. `labels` are facts for machines; never a secret, never a client's text.
    """

    kind: str
    severity: Severity
    at_ms: int
    subject: str
    value: float
    threshold: float
    fingerprint: str
    message: str
    org: str = ""
    labels: dict[str, str] = {}


class Rule(msgspec.Struct, frozen=True):
    """Raise where a value reaches `threshold`; again only after it was below `clear` and the pause is over.

    `clear` below `threshold` keeps a value that trembles around the threshold from being news each time.
    """

    kind: str
    severity: Severity
    threshold: float
    clear: float
    cooldown_ms: int


class Reading(msgspec.Struct, frozen=True):
    """What one rule sees now. Of the readings of one `group` that fire together only the highest is raised."""

    rule: Rule
    group: str
    subject: str
    value: float
    message: str
    org: str = ""
    labels: dict[str, str] = {}

    @property
    def fingerprint(self) -> str:
        """The same for each look of this rule at this group."""
        return fingerprint_of(self.group, f"{self.rule.threshold:g}")


class Memory(msgspec.Struct, frozen=True):
    """What a rule remembers of one fingerprint: whether it fires, and when it was raised last (-1: never)."""

    firing: bool = False
    raised_ms: int = -1


def judge(rule: Rule, memory: Memory, value: float, now_ms: int) -> tuple[Memory, bool]:
    """What to remember now, and whether to raise."""
    if memory.firing:
        return Memory(value >= rule.clear, memory.raised_ms), False
    if value < rule.threshold or rested(memory, rule.cooldown_ms, now_ms) is False:
        return memory, False
    return Memory(firing=True, raised_ms=now_ms), True


def rested(memory: Memory, cooldown_ms: int, now_ms: int) -> bool:
    """Whether the pause since it was raised is over."""
    return memory.raised_ms < 0 or now_ms - memory.raised_ms >= cooldown_ms


def judge_all(
    readings: Iterable[Reading], memories: Mapping[str, Memory], now_ms: int
) -> tuple[dict[str, Memory], list[Alert]]:
    """The memories that change, by fingerprint, and the alerts to raise: the highest of each group."""
    changed: dict[str, Memory] = {}
    highest: dict[str, Reading] = {}
    for reading in readings:
        before = memories.get(reading.fingerprint, Memory())
        after, raises = judge(reading.rule, before, reading.value, now_ms)
        if after != before:
            changed[reading.fingerprint] = after
        if raises:
            known = highest.get(reading.group)
            if known is None or reading.rule.threshold > known.rule.threshold:
                highest[reading.group] = reading
    return changed, [alert_of(reading, now_ms) for reading in highest.values()]


def alert_of(reading: Reading, now_ms: int) -> Alert:
    """A reading as an alert of this moment."""
    return Alert(
        kind=reading.rule.kind,
        severity=reading.rule.severity,
        at_ms=now_ms,
        subject=reading.subject,
        value=reading.value,
        threshold=reading.rule.threshold,
        fingerprint=reading.fingerprint,
        message=reading.message,
        org=reading.org,
        labels=reading.labels,
    )


def fingerprint_of(*parts: str) -> str:
    """Thirty-two hex digits that are the same for the same parts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where alerts are posted, ready for use. `keys` sign: the one in force, then the one before it."""

    name: str
    url: str = field(repr=False)
    keys: tuple[bytes, ...] = field(repr=False)
    kinds: tuple[str, ...] = ()
    min_severity: Severity = "info"
    orgs: tuple[str, ...] = ()
    ca_file: str = ""
    proxy: str = field(default="", repr=False)

    def wants(self, alert: Alert) -> bool:
        """Whether this alert goes there."""
        if SEVERITIES.index(alert.severity) < SEVERITIES.index(self.min_severity):
            return False
        if self.orgs and alert.org not in self.orgs:
            return False
        return not self.kinds or any(_matches(pattern, alert.kind) for pattern in self.kinds)


def _matches(pattern: str, kind: str) -> bool:
    if pattern.endswith(".*"):
        return kind.startswith(pattern[:-1])
    return pattern in {"*", kind}
