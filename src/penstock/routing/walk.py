"""What every cursor of one exchange shares: the request, the rules of its route, how targets are doing."""

from __future__ import annotations

from penstock.core.retry import RetryRule, RetryShare
from penstock.routing.standings import Standings
from penstock.routing.view import RequestView


class Walk:
    """One exchange's way through its route's policy.

    `share` keeps the route's retries to their share. `started`: how many attempts the policy has asked for; the
    next one will be number `started` + 1, by which its outcome is told from others'.
    """

    __slots__ = ("notes", "request", "rule", "share", "standings", "started")

    def __init__(self, rule: RetryRule, share: RetryShare, request: RequestView, standings: Standings) -> None:
        self.rule = rule
        self.share = share
        self.request = request
        self.standings = standings
        self.started = 0
        self.notes: dict[str, str] = {}

    def note(self, name: str, value: str) -> None:
        """Write down what a node decided; the ledger tells exchanges apart by it (`note.NAME`)."""
        self.notes[name] = value
