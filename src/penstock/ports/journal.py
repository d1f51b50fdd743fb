"""Where the gateway writes what happened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from penstock.core.exchange import Entry


class JournalSink(Protocol):
    """Appends events in groups: those of one turn of the event loop share one write."""

    def append(
        self,
        event: Entry,
        then: Callable[[], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """Write `event` at the end of this turn, then call `then`; `failed` if an opening was not written.

        Raises JournalFull for an AttemptOpened or a Judged that does not fit; settlements of open attempts
        always do.
        Callbacks run in order, each isolated from the others' failures.
        """
        ...
