"""A journal directory in memory (ports.files) whose n-th operation fails, a write after half of its bytes."""

from __future__ import annotations

from penstock.core.exchange import Record
from penstock.ledger.journal.format import scan
from tests.fault.faults import Faults


class MemoryDirectory:
    """Keeps segments by name."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.segments: dict[str, MemorySegment] = {}
        self.open = 0

    def step(self) -> None:
        """Count one operation."""
        if self.faults.hit():
            raise OSError(5, "injected")

    def create(self, name: str) -> MemorySegment:
        """See ports.files."""
        self.step()
        self.open += 1
        return MemorySegment(self, name)

    def used_bytes(self) -> int:
        """See ports.files."""
        return sum(len(segment.data) for segment in self.segments.values())

    def records(self) -> list[Record]:
        """What a reader makes of all segments: each record once, as its sequence number says."""
        found: dict[int, Record] = {}
        for segment in self.segments.values():
            for record in scan(bytes(segment.data), complete=True, final=True).records:
                found.setdefault(record.seq, record)
        return list(found.values())


class MemorySegment:
    """See ports.files."""

    def __init__(self, owner: MemoryDirectory, name: str) -> None:
        self.name = name
        self.data = bytearray()
        self._owner = owner

    def write_at(self, data: bytes, offset: int) -> None:
        """See ports.files."""
        try:
            self._owner.step()
        except OSError:
            half = data[: len(data) // 2]
            self.data[offset : offset + len(half)] = half
            raise
        self.data[offset : offset + len(data)] = data

    def allocate(self, offset: int, length: int) -> None:
        """See ports.files."""
        self._owner.step()
        self.data.extend(bytes(max(0, offset + length - len(self.data))))

    def truncate(self, size: int) -> None:
        """See ports.files."""
        self._owner.step()
        del self.data[size:]

    def sync(self) -> None:
        """See ports.files."""
        self._owner.step()

    def sync_soon(self) -> None:
        """See ports.files."""
        self._owner.step()

    def publish(self) -> None:
        """See ports.files."""
        self._owner.step()
        self._owner.segments[self.name] = self

    def close(self) -> None:
        """See ports.files."""
        self._owner.open -= 1

    def discard(self) -> None:
        """See ports.files."""
        self._owner.open -= 1
