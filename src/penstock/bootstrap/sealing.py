"""Rotation of keys for one installation: whose master key, which stores, and whether a service runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from penstock.adapters.answers.resealing import SealedAnswers
from penstock.adapters.secrets.keyring import Keyring, PurposeBox, Ring
from penstock.adapters.secrets.master import MASTER_KEY_FILE, NEXT, NOW, master_from, master_of
from penstock.adapters.secrets.rotation import Rotation
from penstock.adapters.secrets.sealed_control import SealedControl
from penstock.adapters.secrets.sealed_snapshot import SealedSnapshot
from penstock.adapters.sqlite.sealed_owned import SealedOwned
from penstock.bootstrap.plan_source import RESPONSES
from penstock.bootstrap.state_dir import StateDir
from penstock.ports.kms import Kms, KmsError
from penstock.ports.secrets import SealedStore

# How long control gets to publish the snapshot anew.
WAIT_S = 20.0
_POLL_S = 0.05


class Sealing:
    """Everything about the keys of one state directory. Methods raise UnsealError (KmsError)."""

    def __init__(
        self,
        state: StateDir,
        env: Mapping[str, str],
        *,
        running: bool,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`running`: a service uses the directory, so that control is the one who writes the snapshot."""
        self._state = state
        self._env = env
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._sleep = sleep
        self._keyring = Keyring(state.root, self.master, now_ms)
        self.rotation = Rotation(state.root)
        active = self._keyring.active
        self.stores: tuple[SealedStore, ...] = (
            SealedSnapshot(
                state.snapshot, PurposeBox(self._keyring, "snapshot"), active, self._wait if running else None
            ),
            SealedOwned(state.owned, PurposeBox(self._keyring, RESPONSES), active),
            SealedAnswers(state.answers, active),
            SealedControl(state.control_db),
        )

    def master(self) -> Kms:
        """The master key in force."""
        return master_of(self._env, self._state.root)

    @property
    def ring(self) -> Ring | None:
        """The keyring, None where nothing has been sealed yet."""
        return self._keyring.ring()

    def rotate_data_key(self) -> str:
        """A new data key, made even where there was none; its id."""
        self._keyring.active()
        return self.rotation.add_data_key(self.master(), self._now_ms())

    def rotate_master(self) -> tuple[Kms, bool]:
        """Wrap the data keys by another master key; which one, and whether it is the only one already."""
        self._keyring.active()
        following = master_from(self._env, NEXT)
        if following is not None:
            self.rotation.change_master(self.master(), following)
            return following, False
        now = master_from(self._env, NOW)
        if now is None:
            return self.rotation.change_file_master(), True
        if now.id.startswith("local:"):
            raise KmsError(
                "the master key is not a file of ours; give the new one in PENSTOCK_NEW_MASTER_KEY "
                "(base64 of 32 random bytes) or PENSTOCK_NEW_MASTER_KEY_FILE"
            )
        self.rotation.change_master(now, now)
        return now, True

    def reseal(self) -> dict[str, int]:
        """Seal everything that is stored with the key in force; how many values, by store."""
        return {store.name: store.reseal() for store in self.stores}

    def unused(self) -> list[str]:
        """Data keys that have sealed nothing that is stored here. Ids that clients hold are not known.

        Where control's database is elsewhere (PostgreSQL), any key may be needed there.
        """
        if self._state.known.exists() and not self._state.control_db.exists():
            return []
        ring = self.ring
        used = {name for store in self.stores for name in store.data_keys()}
        return [key.id for key in ring.keys if key.id not in used and key.id != ring.active] if ring else []

    def leftover(self) -> str:
        """A `master.key` that is in force no longer, empty where there is none."""
        place = self._state.root / MASTER_KEY_FILE
        return str(place) if place.exists() and master_from(self._env, NOW) is not None else ""

    def _wait(self, done: Callable[[], bool]) -> None:
        until = self._monotonic() + WAIT_S
        while not done() and self._monotonic() < until:
            self._sleep(_POLL_S)
