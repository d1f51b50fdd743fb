"""The few file operations that the journal's writer needs, so that tests can fail each of them."""

from __future__ import annotations

from typing import Protocol


class SegmentFile(Protocol):
    """One journal segment being written, locked for as long as it is open. All calls may raise OSError."""

    @property
    def name(self) -> str:
        """The file's name in its directory."""
        ...

    def write_at(self, data: bytes, offset: int) -> None:
        """Write all of `data` at `offset`; one system call unless the kernel takes only a part."""
        ...

    def allocate(self, offset: int, length: int) -> None:
        """Make sure that writing there cannot fail for want of space; what is there reads as zeros."""
        ...

    def truncate(self, size: int) -> None:
        """Give back what lies beyond `size`."""
        ...

    def sync(self) -> None:
        """Block until what was written would survive a loss of power."""
        ...

    def sync_soon(self) -> None:
        """The same on another thread; at most one is under way, a failure shows in the next `sync`."""
        ...

    def publish(self) -> None:
        """Give the file its final name. Readers take a published file that nobody locks for a dead one."""
        ...

    def close(self) -> None:
        """Close and unlock it."""
        ...

    def discard(self) -> None:
        """Close and remove a file that was not published; never raises."""
        ...


class SegmentDirectory(Protocol):
    """Where a writer's segments live."""

    def create(self, name: str) -> SegmentFile:
        """A new, locked file that is not yet published."""
        ...

    def used_bytes(self) -> int:
        """The sizes of all files here, allocated but unwritten space included."""
        ...
