"""Ways out of an answer: images and links that carry what was said to somebody else's server.

A page that renders Markdown or HTML fetches images without a click, so that an address with data in it is
enough to leak a conversation (OWASP LLM02:2025 and LLM05:2025). An address is suspect when it is fetched by
itself or carries much data, and its host is not one that the operator allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import log2
from typing import Final
from urllib.parse import urlsplit

from penstock.guardrails.scanning import PatternSet
from penstock.guardrails.spans import disjoint
from penstock.ports.guardrail import Finding, Role

IMAGE: Final = "EXFILTRATION_IMAGE"
LINK: Final = "EXFILTRATION_LINK"
KINDS: Final = frozenset({IMAGE, LINK})
_LONGEST: Final = 4_096
_GATE: Final = PatternSet(
    [
        r"(?i)(?:https?:|\bftp:|data:)?//|\]\(|url\(",
        r"(?i)<(?:img|iframe|script|link|object|embed|video|audio|source|form)\b",
    ]
)
_FETCHED: Final = re.compile(
    r"!\[[^\]\n]{0,500}\]\(\s*<?(?P<md>(?:https?:)?//[^\s)>]{1,4000})"
    r"|<(?:img|iframe|script|link|object|embed|video|audio|source|input|image)\b[^>]{0,500}?\b(?:src|href|"
    r"data|poster)\s*=\s*"
    r"[\"']?(?P<html>(?:https?:)?//[^\s\"'>]{1,4000})"
    r"|url\(\s*[\"']?(?P<css>(?:https?:)?//[^\s\"')]{1,4000})"
    r"|^\s{0,3}\[[^\]\n]{1,200}\]:\s*<?(?P<ref>(?:https?:)?//[^\s>]{1,4000})",
    re.IGNORECASE | re.MULTILINE,
)
_ANY: Final = re.compile(r"(?:https?|ftp)://[^\s<>\"'`\])]{4,4000}", re.IGNORECASE)
_PLACEHOLDER: Final = re.compile(r"\{\{?\w+\}?\}|\$\{\w+\}|<\w+>|%7B\w+%7D|\[[A-Z_ ]{3,40}\]", re.IGNORECASE)
_CARRIER: Final = re.compile(
    r"(?:^|&)(?:data|d|q|payload|exfil|leak|secret|token|key|password|pwd|msg|message|content|text|"
    r"history|chat|conv\w*|"
    r"prompt|cookie|session|info|summary|email|user(?:name|data)?|c|p|s|x|b64|log)=([^&]*)",
    re.IGNORECASE,
)


class ExfiltrationDetector:
    """Finds addresses that carry data out, in what a model says and in what third parties wrote.

    `allowed` are hosts whose addresses are left alone; a host also stands for those below it.
    """

    __slots__ = ("_allowed", "look_behind", "threshold")

    def __init__(self, allowed: Iterable[str] = (), threshold: float = 0.5) -> None:
        self._allowed = tuple(each.lower().lstrip(".") for each in allowed)
        self.threshold = threshold
        self.look_behind = _LONGEST

    def look(self, text: str, role: Role) -> list[Finding]:
        """Spans of addresses, with what fetches them."""
        if role in ("system", "user") or not _GATE.found(text.encode("utf-8", "replace")):
            return []
        found: list[Finding] = []
        for match in _FETCHED.finditer(text):
            address = match["md"] or match["html"] or match["css"] or match["ref"]
            if (score := self._score(address, fetched=True)) >= self.threshold:
                found.append(Finding(match.start(), match.end(), IMAGE, score, "fetched"))
        found += [
            Finding(match.start(), match.end(), LINK, score, "carries_data")
            for match in _ANY.finditer(text)
            if (score := self._score(match[0], fetched=False)) >= self.threshold
        ]
        return disjoint(found)

    def _score(self, address: str, *, fetched: bool) -> float:
        try:
            parts = urlsplit(address if "://" in address else f"https:{address}")
            host = (parts.hostname or "").lower()
        except ValueError:
            return 0.9 if fetched else 0.6
        if any(host == each or host.endswith(f".{each}") for each in self._allowed):
            return 0.0
        score = 0.35 if fetched else 0.0
        carried = f"{parts.query}&{parts.fragment}" if parts.fragment else parts.query
        score += min(0.35, len(carried) / 400)
        if any(len(value) >= 4 for value in _CARRIER.findall(carried)):
            score += 0.25 if fetched else 0.2
        if _PLACEHOLDER.search(address):
            score += 0.4
        if any(_dense(piece) for piece in re.split(r"[/=&?.#]", f"{host}/{parts.path}/{carried}")):
            score += 0.3
        if re.fullmatch(r"[\d.]+", host):
            score += 0.2
        return min(1.0, round(score, 2))


def _dense(piece: str) -> bool:
    """Whether a part of an address holds encoded data: long, without words, with many different characters."""
    if len(piece) < 32:
        return False
    counts = [piece.count(char) / len(piece) for char in set(piece)]
    return -sum(share * log2(share) for share in counts) > 3.8 and "-" not in piece[1:-1]
