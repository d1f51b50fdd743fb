"""The snapshot as something that holds sealed values (ports.secrets.SealedStore)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from penstock.adapters.secrets.keyring import sealed_by
from penstock.config.snapshot import SnapshotError, read_snapshot, sealed_in, write_snapshot
from penstock.ports.secrets import SecretBox, UnsealError


class SealedSnapshot:
    """Control writes the snapshot anew once it sees another keyring; `wait` waits for it.

    Where no service runs, `wait` is None and the snapshot is written here.
    """

    name = "snapshot"

    def __init__(
        self,
        path: Path,
        box: SecretBox,
        active: Callable[[], str],
        wait: Callable[[Callable[[], bool]], None] | None,
    ) -> None:
        self._path = path
        self._box = box
        self._active = active
        self._wait = wait

    def data_keys(self) -> dict[str, int]:
        """See ports.secrets."""
        try:
            values = sealed_in(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, SnapshotError) as error:
            raise UnsealError(f"{self._path}: {error}") from None
        return dict(Counter(sealed_by(value) for value in values))

    def reseal(self) -> int:
        """See ports.secrets. Raises UnsealError."""
        count = self._others()
        if not count:
            return 0
        if self._wait is not None:
            self._wait(lambda: not self._others())
            return count - self._others()
        try:
            write_snapshot(self._path, read_snapshot(self._path, self._box), self._box)
        except (SnapshotError, OSError) as error:
            raise UnsealError(f"{self._path}: {error}") from None
        return count

    def _others(self) -> int:
        active = self._active()
        return sum(count for name, count in self.data_keys().items() if name != active)
