"""Gateways that have what a test says under way."""

from __future__ import annotations

from typing import Any


def exchange(request_id: str, org: str, team: str = "", user: str = "", **told: Any) -> dict[str, Any]:
    """One request under way, as a gateway tells of it."""
    return {
        "request_id": request_id,
        "org": org,
        "team": team,
        "user": user,
        "key": "k",
        "route": "echo",
        "target": "sim/echo",
        "endpoint": "chat",
        "dialect": "openai",
        "stream": True,
        "session": "",
        "attempts": 1,
        "state": "streaming",
        "age_ms": 1500,
        "reserved_nanousd": 1_000_000,
        "bytes_out": 12,
        "gateway": "boot-one",
        **told,
    }


class FakeLive:
    """Implements ports.live.LiveGateways: what is stopped is under way no more."""

    def __init__(self, running: list[dict[str, Any]], silent: tuple[str, ...] = ()) -> None:
        self.running = running
        self.silent = list(silent)
        self.stopped: list[tuple[str, str]] = []
        # What was begun, and what gateways say to a drill; empty: they begin it.
        self.rules: list[dict[str, Any]] = []
        self.refusing = ""
        self.purged: list[dict[str, Any]] = []

    def cache(self) -> tuple[list[dict[str, Any]], list[str]]:
        """See LiveGateways."""
        routes = {"chat": {"exact": 3, "misses": 1}}
        stores = [{"name": "memory", "entries": 2, "size": 900, "most": 1000, "evicted": 0, "errors": 0}]
        return [{"gateway": "boot-one", "routes": routes, "stores": stores}], self.silent

    def purge(self, purge: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
        """See LiveGateways."""
        self.purged.append(purge)
        return [{"gateway": "boot-one", "taken": 2, "why": ""}], self.silent

    def exchanges(self) -> tuple[list[dict[str, Any]], list[str]]:
        """See LiveGateways."""
        return [dict(one) for one in self.running], self.silent

    def drills(self) -> list[dict[str, Any]]:
        """See LiveGateways."""
        return [{**rule, "gateway": "boot-one"} for rule in self.rules]

    def begin_drill(self, rule: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
        """See LiveGateways."""
        if self.refusing:
            return [], [self.refusing]
        self.rules.append(rule)
        return [{**rule, "gateway": "boot-one"}], []

    def end_drill(self, route: str) -> list[dict[str, Any]]:
        """See LiveGateways."""
        gone = [rule for rule in self.rules if rule["route"] == route]
        self.rules = [rule for rule in self.rules if rule["route"] != route]
        return gone

    def stop(self, gateway: str, request_id: str) -> bool:
        """See LiveGateways."""
        left = [one for one in self.running if one["request_id"] != request_id]
        found = len(left) < len(self.running)
        self.running = left
        if found:
            self.stopped.append((gateway, request_id))
        return found
