"""Journal segments as files: positional writes, preallocation, advisory locks."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
from pathlib import Path

_ZEROS = bytes(1 << 20)
# What a file system answers that cannot preallocate.
_UNSUPPORTED = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})
_fdatasync = getattr(os, "fdatasync", os.fsync)


class PosixSegment:
    """A `ports.files.SegmentFile` on a real file system."""

    def __init__(self, descriptor: int, temporary: Path, final: Path) -> None:
        self._descriptor = descriptor
        self._temporary = temporary
        self._final = final
        self._syncing: threading.Thread | None = None
        self._sync_error: OSError | None = None

    @property
    def name(self) -> str:
        """The published file name."""
        return self._final.name

    def write_at(self, data: bytes, offset: int) -> None:
        """Write all of it."""
        written = os.pwrite(self._descriptor, data, offset)
        while written < len(data):
            more = os.pwrite(self._descriptor, data[written:], offset + written)
            if more == 0:
                raise OSError(errno.EIO, "the file takes no more bytes", str(self._final))
            written += more

    def allocate(self, offset: int, length: int) -> None:
        """Reserve blocks; where the system cannot, zeros are written, which reserves them too."""
        allocate = getattr(os, "posix_fallocate", None)
        if allocate is not None:
            try:
                allocate(self._descriptor, offset, length)
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    raise
            else:
                return
        end = offset + length
        while offset < end:
            offset += os.pwrite(self._descriptor, _ZEROS[: end - offset], offset)

    def truncate(self, size: int) -> None:
        """Cut the file."""
        os.ftruncate(self._descriptor, size)

    def sync(self) -> None:
        """Flush to the device; also reports what a background flush ran into."""
        if self._sync_error is not None:
            error, self._sync_error = self._sync_error, None
            raise error
        _fdatasync(self._descriptor)

    def sync_soon(self) -> None:
        """Flush on a thread of its own, because a flush may take tens of milliseconds."""
        if self._sync_error is not None:
            self.sync()
        if self._syncing is not None and self._syncing.is_alive():
            return
        self._syncing = threading.Thread(target=self._sync_quietly, name="journal-sync", daemon=True)
        self._syncing.start()

    def publish(self) -> None:
        """Rename; the lock stays with the file."""
        self._temporary.rename(self._final)

    def close(self) -> None:
        """Wait for a background flush, then close, which unlocks."""
        if self._syncing is not None:
            self._syncing.join()
        os.close(self._descriptor)

    def discard(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
        for path in (self._temporary, self._final):
            with contextlib.suppress(OSError):
                path.unlink()

    def _sync_quietly(self) -> None:
        try:
            _fdatasync(self._descriptor)
        except OSError as error:
            self._sync_error = error


class PosixDirectory:
    """A `ports.files.SegmentDirectory`; it is made on the first segment."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, name: str) -> PosixSegment:
        """A locked file under a temporary name."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = self.path / f".{name}.new"
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        return PosixSegment(descriptor, temporary, self.path / name)

    def used_bytes(self) -> int:
        """The sum of the sizes, of files that vanish meanwhile zero."""
        total = 0
        with os.scandir(self.path) as entries:
            for entry in entries:
                try:
                    total += entry.stat().st_size
                except FileNotFoundError:
                    continue
        return total


def is_locked(path: Path) -> bool:
    """Whether a live process holds the segment; a file that is gone is not held."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
