"""The detector of credentials."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from penstock.guardrails.scanning import PatternSet, SpanPattern
from penstock.guardrails.secrets import doubts
from penstock.guardrails.secrets.rows import ROWS, SecretRow
from penstock.guardrails.spans import disjoint
from penstock.ports.guardrail import Finding, Role

ASSIGNED: Final = "ASSIGNED_SECRET"
PASSWORD: Final = "PASSWORD"  # noqa: S105 - a kind, no password
_NAME: Final = (
    r"(?:api[_\-. ]?keys?|apikey|secret[_\-. ]?keys?|secret|access[_\-. ]?tokens?|auth[_\-. ]?tokens?|token|"
    r"client[_\-. ]?secret|private[_\-. ]?key|encryption[_\-. ]?key|signing[_\-. ]?key|credentials?|passphrase|"
    r"bearer|webhook[_\-. ]?secret|session[_\-. ]?key|refresh[_\-. ]?token|access[_\-. ]?key)"
)
_ASSIGNED_ROW: Final = SecretRow(
    ASSIGNED,
    rf"(?i){_NAME}[\"']?\s{{0,3}}(?::=|=>|=|:|\bis\b)\s{{0,3}}[\"'`]?([A-Za-z0-9_\-+/=.~!@#$%^&*]{{12,200}})",
    "a name that says that its value is secret, and a value that looks drawn",
    score=0.7,
)
_PASSWORD_ROW: Final = SecretRow(
    PASSWORD,
    r"(?i)\b(?:[a-z_]{0,20}passw(?:or)?d|[a-z_]{0,20}pwd|passcode|kennwort|passwort|contraseña|mot de passe)"
    r"[\"']?\s{0,3}(?::=|=>|=|:|\bis:?\b)\s{0,3}[\"'`]?([^\s\"'`,;<>]{6,100})",
    "the same for passwords, which people choose: a digit or a sign among letters",
    random=False,
    score=0.65,
)
ALL_ROWS: Final = (*ROWS, _ASSIGNED_ROW, _PASSWORD_ROW)
KINDS: Final = frozenset(each.kind for each in ALL_ROWS)
"""Every kind that this module can find."""
_LONGEST: Final = 512
_TRAILING: Final = ".,;:!?)]}"
_AWS_EXAMPLES: Final = frozenset({"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"})
_LETTER_AND_OTHER: Final = re.compile(r"(?=.*[A-Za-z])(?=.*[\d!@#$%^&*?+=~])")


class SecretsDetector:
    """Finds credentials of the given kinds (`KINDS` by default) with at least `threshold` of certainty.

    What is documented as an example, and what only stands for a secret (`${TOKEN}`, `sk-xxxx`), is left alone.
    A private key is reported from its first to its last line. Raises ValueError for a kind that nothing finds.
    """

    __slots__ = ("_patterns", "_set", "look_behind", "threshold")

    def __init__(self, kinds: Iterable[str] | None = None, threshold: float = 0.5) -> None:
        wanted = KINDS if kinds is None else frozenset(kinds)
        if unknown := wanted - KINDS:
            raise ValueError(
                f"no row finds {', '.join(sorted(unknown))}; there are ones for {', '.join(sorted(KINDS))}"
            )
        self.threshold = threshold
        self.look_behind = 4096 if "PRIVATE_KEY" in wanted else _LONGEST
        rows = [each for each in ALL_ROWS if each.kind in wanted and each.score >= threshold]
        self._patterns = [(row, SpanPattern(_bounded(row.pattern))) for row in rows]
        self._set = PatternSet([_bounded(each.pattern) for each in rows])

    def look(self, text: str, role: Role) -> list[Finding]:
        """Spans of credentials in `text`, whoever says it; where two overlap, the surer one."""
        del role
        hits = self._set.found(text.encode("utf-8", "replace"))
        if not hits:
            return []
        found: list[Finding] = []
        for index in hits:
            row, pattern = self._patterns[index]
            for start, end in pattern.spans(text):
                self._add(text, start, end, row, found)
        return disjoint(found)

    def _add(self, text: str, start: int, end: int, row: SecretRow, found: list[Finding]) -> None:
        if row.kind in (ASSIGNED, PASSWORD, "CONNECTION_STRING"):
            while end > start and text[end - 1] in _TRAILING:
                end -= 1
        span = text[start:end]
        if span in _AWS_EXAMPLES or not _believable(row, span):
            return
        if row.kind == "PRIVATE_KEY":
            close = text.find("-----END", end)
            last = text.find("-----", close + 8) if 0 <= close - end < 8192 else -1
            end = last + 5 if last >= 0 else end
        found.append(Finding(start, end, row.kind, row.score, "pattern" if row in ROWS else "assignment"))


def _believable(row: SecretRow, span: str) -> bool:
    if row.kind == "CONNECTION_STRING":
        password = span.split("://", 1)[-1].rsplit("@", 1)[0].rpartition(":")[2] if "://" in span else span
        return bool(password) and not doubts.placeholder(password) and not doubts.reference(password)
    if row.kind == PASSWORD:
        return (
            not doubts.placeholder(span)
            and not doubts.reference(span)
            and _LETTER_AND_OTHER.match(span) is not None
        )
    if not row.random:
        return True
    body = span.rsplit("_", 1)[-1] if row.kind != ASSIGNED else span
    if doubts.placeholder(span) or (row.kind == ASSIGNED and doubts.reference(span)):
        return False
    return doubts.random_looking(span) if row.kind == ASSIGNED else doubts.entropy(body or span) >= 2.5


def _bounded(pattern: str) -> str:
    """The pattern where a word starts, which keeps the set's states few."""
    if pattern.startswith(("(-", "[", r"\"", r"\b", "(?i)")):
        return pattern
    return rf"\b(?:{pattern})"
