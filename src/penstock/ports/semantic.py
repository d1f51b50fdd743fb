"""The seam to the look-up by meaning: which kept answer was given to a question that means the same.

The index knows questions and the keys of entries, never answers: what it names is fetched from the store of
answers and judged like any other entry, so that nothing is served that was taken away meanwhile. Every method
returns at once; callbacks come in the event loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from penstock.core.cache_plan import SemanticPlan
from penstock.core.kept import Purge


class Meant(NamedTuple):
    """A question to be compared.

    `space` is the digest of all that must be equal (route, policy, guards, namespace), `context` that of the
    conversation before and around `text`, the user's last turn. Only questions of the same space and context
    are ever compared.
    """

    text: str
    space: bytes
    context: bytes


class Near(NamedTuple):
    """The nearest kept question: the key of its answer, and how similar it is, from 0 to 1.

    `entry` is empty where that answer may not be served; `reason` says why, `same` for one that may. With
    `wants` the answer that the route gives is to be handed to `keep`, which compares it.
    """

    entry: bytes
    similarity: float
    reason: str = "same"
    wants: bool = False


class Looking(Protocol):
    """A look-up under way."""

    def cancel(self) -> None:
        """Nobody waits any more; `then` is not called."""
        ...


class Semantic(Protocol):
    """An index of questions."""

    def look(self, meant: Meant, plan: SemanticPlan, then: Callable[[Near | None], None]) -> Looking:
        """The nearest question, if the plan lets its answer be served.

        `then` is called once, None also where nobody answers in time; never before this returns.
        """
        ...

    def keep(self, meant: Meant, entry: bytes, ends_ms: int, answer: str = "") -> None:
        """Remember a question, and where its answer is kept until `ends_ms`.

        `answer` is its text where thresholds are learnt: a mark of it is kept that others are compared with.
        """
        ...

    def forget(self, purge: Purge) -> None:
        """Entries were taken away: their questions need not be found any more."""
        ...
