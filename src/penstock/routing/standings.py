"""How each target is doing, as this gateway sees it; kept across reloads."""

from __future__ import annotations

MAX_STANDINGS = 65_536


class Standing:
    """One target's."""

    __slots__ = ("target_id",)

    def __init__(self, target_id: str) -> None:
        self.target_id = target_id


class Standings:
    """Every target's, by id; bounded."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, Standing] = {}

    def of(self, target_id: str) -> Standing:
        """A target's standing, new where nothing is known of it."""
        standing = self._known.get(target_id)
        if standing is None:
            standing = Standing(target_id)
            if len(self._known) < MAX_STANDINGS:
                self._known[target_id] = standing
        return standing
