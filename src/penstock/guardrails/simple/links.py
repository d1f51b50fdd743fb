"""Addresses in a text that lead where they must not: to hosts that are denied, or not allowed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from penstock.core.detector import Finding, Role

# An address ends at a space, a quote or a bracket; what a sentence puts after it is not part of it.
_URL = re.compile(r"(?:https?|ftp|wss?):(?://|\\\\)[^\s<>\"'`{}|^\[\]]+", re.IGNORECASE)
_BARE = re.compile(r"(?<![\w@/.])www\.[^\s<>\"'`{}|^\[\]()]+", re.IGNORECASE)
_TAIL = ".,;:!?*_~"
# Longer addresses are cut there on streams.
LONGEST = 2_048


def host_of(address: str) -> str:
    """The host of an address as a browser reads it: without user name and port, lower case."""
    rest = re.sub(r"^[A-Za-z]+:[/\\]+", "", address)
    authority = re.split(r"[/\\?#]", rest, maxsplit=1)[0]
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".").lower()


def covers(hosts: frozenset[str], host: str) -> bool:
    """Whether the host, or one above it, is among these."""
    while host:
        if host in hosts:
            return True
        host = host.partition(".")[2]
    return False


class LinkDetector:
    """Finds addresses whose host is denied, or is not allowed where some are."""

    look_behind = LONGEST

    def __init__(self, allow: Sequence[str], deny: Sequence[str]) -> None:
        self._allow = frozenset([each.lower().strip(".") for each in allow])
        self._deny = frozenset([each.lower().strip(".") for each in deny])

    def look(self, text: str, role: Role) -> list[Finding]:
        """See Detector."""
        del role
        if ":" not in text and "www." not in text.lower():
            return []
        found: list[Finding] = []
        for pattern in (_URL, _BARE):
            for match in pattern.finditer(text):
                address = match[0].rstrip(_TAIL)
                if address.endswith(")") and "(" not in address:
                    address = address.rstrip(").,;:!?*_~")
                why = self._fault(host_of(address))
                if why:
                    found.append(Finding(match.start(), match.start() + len(address), "URL", 1.0, why))
        found.sort(key=_start)
        return found

    def settled(self, text: str, role: Role) -> int:
        """See Settled: an address has no spaces, so that only the last word may still grow."""
        del role
        at = len(text)
        least = max(0, at - LONGEST)
        while at > least and not text[at - 1].isspace():
            at -= 1
        return at

    def _fault(self, host: str) -> str:
        if covers(self._deny, host):
            return "denied"
        return "not_allowed" if self._allow and not covers(self._allow, host) else ""


def _start(finding: Finding) -> int:
    return finding.start
