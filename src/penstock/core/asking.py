"""Nodes that ask outside of the gateway which of their children answers: the learned router."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.core.policy import PolicyNode


class LearnedNode(PolicyNode):
    """The child that a trained router names; the default where it names none, or not in time.

    `about` is the question in the inference process's words (model file, rule, names of the children). The
    others follow as fallbacks, in the document's order. `places`: where each child stands in `about`.
    """

    __slots__ = ("about", "children", "deadline_s", "default", "places")

    def __init__(
        self,
        children: tuple[PolicyNode, ...],
        about: str,
        default: int,
        deadline_s: float,
        places: tuple[int, ...] = (),
    ) -> None:
        self.children = children
        self.about = about
        self.default = default
        self.deadline_s = deadline_s
        self.places = places or tuple(range(len(children)))

    def below(self) -> tuple[PolicyNode, ...]:
        """Its children."""
        return self.children

    def with_below(self, below: Sequence[PolicyNode | None]) -> PolicyNode | None:
        """Those that are left; where the default is gone, the first of them is."""
        left = [(place, child) for place, child in zip(self.places, below, strict=True) if child is not None]
        if len(left) < 2:
            return left[0][1] if left else None
        places = tuple([place for place, _ in left])
        default = self.default if self.default in places else places[0]
        return LearnedNode(tuple([child for _, child in left]), self.about, default, self.deadline_s, places)
