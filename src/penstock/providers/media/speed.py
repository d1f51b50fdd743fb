"""How fast somebody speaks, within what a vendor has."""

from __future__ import annotations

from penstock.core.losses import Losses


def within(speed: float | None, slowest: float, fastest: float, losses: Losses) -> float | None:
    """The speed, or the nearest that the vendor has; None where nothing is to be said."""
    if speed is None or speed == 1:
        return None
    if slowest <= speed <= fastest:
        return speed
    return min(max(speed, slowest), fastest) if losses.map("speed") else None
