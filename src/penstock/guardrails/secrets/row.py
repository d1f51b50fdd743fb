"""One vendor's credential, as the vendor describes it.

Where a page gives a length, it is required; where it only gives how a credential begins, a minimum stands here
that keeps words and file names out. Every pattern is RE2 and its first group is the secret.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SecretRow:
    """`kind` is reported; `source` is the page that describes it; `random` asks for varied characters."""

    kind: str
    pattern: str
    source: str
    random: bool = True
    score: float = 0.95
