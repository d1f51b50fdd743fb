"""What the gateways of this machine have under way, for the control plane."""

from __future__ import annotations

from typing import Any, Protocol


class LiveGateways(Protocol):
    """The gateways that run on this machine just now. Methods may block for seconds; none raises."""

    def exchanges(self) -> tuple[list[dict[str, Any]], list[str]]:
        """The exchanges under way, each with its `gateway`, and the gateways that did not answer."""
        ...

    def drills(self) -> list[dict[str, Any]]:
        """The failover drills under way, each with its `gateway`."""
        ...

    def begin_drill(self, rule: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
        """Begin a drill in every gateway: how it stands in each, and why one would not."""
        ...

    def end_drill(self, route: str) -> list[dict[str, Any]]:
        """Stop the drills of a route; how they stood."""
        ...

    def cache(self) -> tuple[list[dict[str, Any]], list[str]]:
        """What each gateway keeps of answers, with its `gateway`; and those that did not answer."""
        ...

    def purge(self, purge: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
        """Have all take entries away (core.kept.Purge by name); what each says, and who does not answer."""
        ...

    def stop(self, gateway: str, request_id: str) -> bool:
        """Stop one of them; False where it had ended, or its gateway does not answer."""
        ...
