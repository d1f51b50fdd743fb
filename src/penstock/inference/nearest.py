"""The decision of one look-up: which of the nearest questions, if any, has an answer for this one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from penstock.cache.choosing import in_order, within_reach
from penstock.cache.verifier import Strictness, Verified
from penstock.inference.meanings import Meaning, Meanings, mean_likeness

# Below this similarity two texts are about different things, whatever the verifier says.
LEAST_SIMILARITY = 0.65


@dataclass(frozen=True, slots=True)
class Choice:
    """A candidate's place in what was handed over; `verified` is None where nobody was asked to verify."""

    place: int
    similarity: float
    verified: Verified | None

    @property
    def same(self) -> bool:
        """Whether its answer may be served."""
        return self.verified is None or self.verified.same


def choose(
    meanings: Meanings,
    asked: Meaning,
    similarities: Sequence[float],
    read: Callable[[int], Meaning],
    threshold: float = LEAST_SIMILARITY,
    how: Strictness | None = "normal",
) -> Choice | None:
    """The best candidate that may be served, else the one that came nearest to it; None if all are too far.

    `similarities` come nearest first, `read(place)` reads a candidate. `how` None: similarity alone decides.
    """
    places = within_reach(similarities, threshold)
    if not places:
        return None
    if how is None:
        return Choice(places[0], similarities[places[0]], None)
    candidates = [read(place) for place in places]
    order = [0]
    if len(places) > 1:
        order = in_order([similarities[p] for p in places], [mean_likeness(asked, c) for c in candidates])
    refused: Choice | None = None
    for k in order:
        told = meanings.verify(asked, candidates[k], how)
        choice = Choice(places[k], similarities[places[k]], told)
        if told.same:
            return choice
        refused = refused or choice
    return refused
