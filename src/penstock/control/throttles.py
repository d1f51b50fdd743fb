"""Throttles that are over are removed; gateways stop minding them by themselves, at their moment."""

from __future__ import annotations

from penstock.config.values import BadValueError, moment
from penstock.control.audit import Actor
from penstock.control.plane import ControlPlane, Draft
from penstock.ports.control_store import Item, Query

CLOCK = Actor(name="clock", kind="clock")
MOST = 500


def expire(plane: ControlPlane) -> int:
    """Remove those that are over; how many. Raises StoreError, Denied."""
    query = Query(
        kind="throttle", org=None, team=None, managed_by="api", prefix="", scopes=None, after=None, limit=MOST
    )
    with plane.store.reading() as reading:
        if not any(_over(item, plane.now_ms()) for item in reading.items(query)):
            return 0

    def edit(draft: Draft) -> int:
        gone = [item for item in draft.of("throttle") if item.managed_by == "api" and _over(item, draft.now_ms)]
        for item in gone:
            draft.remove(item)
        return len(gone)

    count, _ = plane.change(CLOCK, edit, reason="its time is over", action="expire", wait_s=0.0)
    return count


def _over(item: Item, now_ms: int) -> bool:
    try:
        return moment(str(item.body.get("until", ""))) <= now_ms
    except BadValueError:
        return False
