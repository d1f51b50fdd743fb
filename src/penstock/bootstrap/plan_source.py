"""Where a gateway's Plan comes from: the snapshot on its disk, whoever wrote it and whenever."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from penstock.bootstrap.state_dir import StateDir
from penstock.compile.plan import compile_plan
from penstock.compile.proxies import proxy_for
from penstock.config.document import Document
from penstock.config.snapshot import Snapshot, read_snapshot
from penstock.core.plan import Plan
from penstock.core.price_book import PriceBook
from penstock.ports.secrets import SecretBox

if TYPE_CHECKING:
    from penstock.adapters.secrets.keyring import Keyring

SIMULATOR_URL = "PENSTOCK_SIMULATOR_URL"
# The purpose of what is sealed in owned.db.
RESPONSES = "responses"


class LazyBox:
    """The box of one purpose, opened when a sealed value is met.

    Most snapshots hold references only, and the cryptography behind it is slow to import. Values that were
    sealed for another purpose (`snapshot`, `responses`, `videos`, …) do not open.
    """

    def __init__(
        self,
        state_dir: Path,
        env: Mapping[str, str],
        purpose: str,
        keys: LazyKeys | None = None,
        *,
        shared: bool = False,
    ) -> None:
        """`shared`: machines with the same master key must be able to open what this one seals."""
        self._shared = shared
        self.keys = keys or LazyKeys(state_dir, env)
        self._purpose = purpose
        self._opened: SecretBox | None = None

    def _box(self) -> SecretBox:
        if self._opened is None:
            from penstock.adapters.secrets.keyring import PurposeBox, SharedBox  # noqa: PLC0415 - see the class

            kind = SharedBox if self._shared else PurposeBox
            self._opened = kind(self.keys.ring(), self._purpose)
        return self._opened

    def seal(self, plain: bytes) -> bytes:
        """See ports.secrets."""
        return self._box().seal(plain)

    def unseal(self, sealed: bytes) -> bytes:
        """See ports.secrets."""
        return self._box().unseal(sealed)


class LazyKeys:
    """The data keys of this process, opened once something is sealed or unsealed."""

    def __init__(self, state_dir: Path, env: Mapping[str, str]) -> None:
        self._state_dir = state_dir
        self._env = env
        self._ring: Keyring | None = None

    def ring(self) -> Keyring:
        """The keyring."""
        if self._ring is None:
            from penstock.adapters.secrets.keyring import Keyring  # noqa: PLC0415 - see LazyBox
            from penstock.adapters.secrets.master import master_of  # noqa: PLC0415 - see LazyBox

            self._ring = Keyring(self._state_dir, lambda: master_of(self._env, self._state_dir), _now_ms)
        return self._ring

    @property
    def due(self) -> bool:
        """Whether `prepare` would ask a key store: an event loop must not be kept waiting by that."""
        return bool(self._env.get("PENSTOCK_KMS")) and self.ring().changed

    def prepare(self) -> None:
        """Open all data keys. Raises UnsealError."""
        self.ring().open_all()


def control_box(state: StateDir, env: Mapping[str, str]) -> LazyBox:
    """What secrets in control's database are sealed with."""
    return LazyBox(state.root, env, "control", shared=True)


def snapshot_box(state: StateDir, env: Mapping[str, str]) -> LazyBox:
    """What the snapshot's literal secrets are sealed with."""
    return LazyBox(state.root, env, "snapshot")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class PlanSource:
    """Reads snapshots and compiles them; remembers which one is in force."""

    def __init__(self, state: StateDir, env: Mapping[str, str]) -> None:
        self._state = state
        self._env = env
        self._box = snapshot_box(state, env)
        self._seen: tuple[int, int] = (0, 0)
        self._settings: Document | None = None

    @property
    def keys(self) -> LazyKeys:
        """The data keys that snapshots are opened with."""
        return self._box.keys

    @property
    def settings(self) -> Document:
        """The document that was loaded last."""
        if self._settings is None:
            raise RuntimeError("load first")
        return self._settings

    def load(self, now_ms: int) -> Plan:
        """The Plan of the snapshot. Raises SnapshotError, CompileError."""
        stamp = self._state.snapshot.stat() if self._state.snapshot.exists() else None
        snapshot = read_snapshot(self._state.snapshot, self._box)
        plan = with_tokens(plan_of(snapshot, self._env, now_ms), snapshot, self._state)
        self._settings = snapshot.document
        if stamp is not None:
            self._seen = (stamp.st_mtime_ns, stamp.st_ino)
        return plan

    def load_if_changed(self, now_ms: int) -> Plan | None:
        """The new Plan, or None where the file is the one that was loaded. Raises as `load`, once per file."""
        try:
            stamp = self._state.snapshot.stat()
        except OSError:
            return None
        if (stamp.st_mtime_ns, stamp.st_ino) == self._seen:
            return None
        self._seen = (stamp.st_mtime_ns, stamp.st_ino)
        return self.load(now_ms)


def with_tokens(plan: Plan, snapshot: Snapshot, state: StateDir) -> Plan:
    """The Plan with who knows tokens; what that takes is imported only where an issuer is configured."""
    if not plan.issuers:
        return plan
    from penstock.adapters.jose.tokens import Tokens  # noqa: PLC0415 - see above

    def wanted() -> None:
        with suppress(OSError):
            state.token_keys_wanted.touch(mode=0o600)

    return replace(plan, tokens=Tokens(plan, snapshot.jwks, wanted))


def budgeted_tags(document: Document) -> frozenset[str]:
    """The names of the tags by whose values money is counted: those that have budgets in some organisation."""
    return frozenset(
        tag
        for org in document.orgs.values()
        for tag, values in org.tags.items()
        if any(allowed.budget is not None or allowed.budgets for allowed in values.values())
    )


def plan_of(snapshot: Snapshot, env: Mapping[str, str], now_ms: int) -> Plan:
    """A snapshot's Plan, secrets resolved from this process's environment and from what control fetched."""
    secrets = snapshot.environment(env)
    prices = (
        msgspec.msgpack.decode(snapshot.prices, type=PriceBook) if snapshot.prices else PriceBook("none", {})
    )
    urls = {"simulator": env[SIMULATOR_URL]} if env.get(SIMULATOR_URL) else {}
    return compile_plan(
        snapshot.document,
        revision=snapshot.revision,
        prices=prices,
        reveal=lambda secret: secret.resolve(secrets),
        urls=urls,
        now_ms=now_ms,
        proxy=lambda scheme, host: proxy_for(env, scheme, host),
    )
