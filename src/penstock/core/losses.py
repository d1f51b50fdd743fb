"""What a translation could not carry over, and what the caller wants done about it (`on_unsupported`)."""

from __future__ import annotations

from typing import Literal

OnUnsupported = Literal["map", "drop", "error"]


class UnsupportedError(ValueError):
    """The target cannot take `feature`, and the caller asked for an error rather than a loss."""

    def __init__(self, feature: str) -> None:
        super().__init__(f"the target cannot take {feature}")
        self.feature = feature


class Losses:
    """Collects what happens to the features that a target does not have; kept small and without repeats.

    `features` are names of the pivot's fields (`logit_bias`, `top_k`, `image.link`, …), stable and
    low-cardinality: they go into the `x-penstock-warning` header.
    """

    __slots__ = ("_policy", "dropped", "mapped")

    def __init__(self, policy: OnUnsupported = "map") -> None:
        self._policy: OnUnsupported = policy
        self.dropped: list[str] = []
        self.mapped: list[str] = []

    def drop(self, feature: str) -> None:
        """The target has nothing for it. Raises UnsupportedError where the policy says so."""
        if self._policy == "error":
            raise UnsupportedError(feature)
        if feature not in self.dropped:
            self.dropped.append(feature)

    def map(self, feature: str) -> bool:
        """Whether to send the nearest thing that the target has; where not, it is noted as dropped."""
        if self._policy == "map":
            if feature not in self.mapped:
                self.mapped.append(feature)
            return True
        self.drop(feature)
        return False

    def warning(self) -> str:
        """The value of `x-penstock-warning`, empty where nothing was lost."""
        said: list[str] = []
        if self.dropped:
            said.append("dropped=" + ",".join(self.dropped))
        if self.mapped:
            said.append("mapped=" + ",".join(self.mapped))
        return "; ".join(said)
