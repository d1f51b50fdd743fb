"""Where answers are kept that may be used again. Methods return at once, callbacks come in the event loop.

A store that cannot be asked has nothing: `find` then tells None, and nothing else of a request fails for it.
What an entry may be used for (whose it is, whether its time is over) is for the asker to judge: a store only
keeps entries at least as long as nothing takes them away or pushes them out, and never after `ends_ms`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from penstock.core.kept import Kept, Purge


class AnswersTold(NamedTuple):
    """How much a store has; None where it cannot tell, or not without looking through all of it."""

    name: str
    entries: int | None = None
    size: int | None = None
    most: int | None = None
    evicted: int | None = None
    errors: int = 0


class Answers(Protocol):
    """A store of entries.

    `fresh`: word of what is taken away elsewhere reaches this process. While it is not, nothing is served that
    was kept, be it in this process's own memory.
    """

    @property
    def fresh(self) -> bool:
        """See the class."""
        ...

    def find(self, key: bytes, now_ms: int, then: Callable[[Kept | None], None]) -> None:
        """The entry of a key."""
        ...

    def keep(self, kept: Kept, now_ms: int) -> None:
        """Keep an entry, in place of what was kept under its key."""
        ...

    def drop(self, purge: Purge, then: Callable[[int | None, str], None]) -> None:
        """Take entries away: none of them is found by anybody once `then` is called.

        `then` is told how many there were, None where it is not known, and why it failed, empty where it did
        not.
        """
        ...

    def told(self, then: Callable[[AnswersTold], None]) -> None:
        """How much there is."""
        ...

    def close(self) -> None:
        """Write what is to be written, and end."""
        ...
