"""Entries in this process's memory, as many bytes as are allowed."""

from __future__ import annotations

from collections.abc import Callable

from penstock.core.kept import Kept, Purge
from penstock.core.s3_fifo import S3Fifo
from penstock.ports.answers import AnswersTold


class MemoryAnswers:
    """Implements ports.answers.Answers; it also tells at once."""

    __slots__ = ("_entries", "fresh")

    def __init__(self, most_bytes: int) -> None:
        self.fresh = True
        self._entries = S3Fifo(most_bytes)

    def peek(self, key: bytes, now_ms: int) -> Kept | None:
        """The entry of a key."""
        found: Kept | None = self._entries.get(key)
        if found is not None and found.ends_ms <= now_ms:
            self._entries.remove(key)
            return None
        return found

    def find(self, key: bytes, now_ms: int, then: Callable[[Kept | None], None]) -> None:
        """See Answers."""
        then(self.peek(key, now_ms))

    def keep(self, kept: Kept, now_ms: int) -> None:
        """See Answers."""
        if kept.ends_ms > now_ms:
            self._entries.put(kept.key, kept, kept.size)

    def purge(self, purge: Purge) -> int:
        """Take entries away at once; how many there were."""
        taken: list[Kept] = [each for each in self._entries.values() if purge.takes(each)]
        for each in taken:
            self._entries.remove(each.key)
        return len(taken)

    def drop(self, purge: Purge, then: Callable[[int | None, str], None]) -> None:
        """See Answers."""
        then(self.purge(purge), "")

    def status(self) -> AnswersTold:
        """How much there is."""
        entries = self._entries
        return AnswersTold("memory", len(entries), entries.bytes, entries.most_bytes, entries.evicted)

    def close(self) -> None:
        """See Answers."""

    def told(self, then: Callable[[AnswersTold], None]) -> None:
        """See Answers."""
        then(self.status())
