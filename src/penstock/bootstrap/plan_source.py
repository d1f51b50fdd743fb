"""Where a gateway's Plan comes from: the snapshot on its disk, whoever wrote it and whenever."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from penstock.bootstrap.state_dir import StateDir
from penstock.compile.plan import compile_plan
from penstock.compile.proxies import proxy_for
from penstock.config.document import Document
from penstock.config.snapshot import Snapshot, read_snapshot
from penstock.core.plan import Plan
from penstock.core.price_book import PriceBook
from penstock.ports.secrets import SecretBox

SIMULATOR_URL = "PENSTOCK_SIMULATOR_URL"


class LazyBox:
    """The master key's box, opened when a sealed value is met.

    Most snapshots hold references only, and the cryptography behind it is slow to import.
    """

    def __init__(self, state_dir: Path, env: Mapping[str, str]) -> None:
        self._state_dir = state_dir
        self._env = env
        self._opened: SecretBox | None = None

    def _box(self) -> SecretBox:
        if self._opened is None:
            from penstock.adapters.secrets.aesgcm import AesGcmBox, master_key  # noqa: PLC0415 - see the class

            self._opened = AesGcmBox(master_key(self._env, self._state_dir))
        return self._opened

    def seal(self, plain: bytes) -> bytes:
        """See ports.secrets."""
        return self._box().seal(plain)

    def unseal(self, sealed: bytes) -> bytes:
        """See ports.secrets."""
        return self._box().unseal(sealed)


class PlanSource:
    """Reads snapshots and compiles them; remembers which one is in force."""

    def __init__(self, state: StateDir, env: Mapping[str, str]) -> None:
        self._state = state
        self._env = env
        self._box = LazyBox(state.root, env)
        self._seen: tuple[int, int] = (0, 0)
        self._settings: Document | None = None

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
        plan = plan_of(snapshot, self._env, now_ms)
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


def budgeted_tags(document: Document) -> frozenset[str]:
    """The names of the tags by whose values money is counted: those that have budgets in some organisation."""
    return frozenset(
        tag
        for org in document.orgs.values()
        for tag, values in org.tags.items()
        if any(allowed.budget is not None or allowed.budgets for allowed in values.values())
    )


def plan_of(snapshot: Snapshot, env: Mapping[str, str], now_ms: int) -> Plan:
    """A snapshot's Plan, secrets resolved from this process's environment."""
    prices = (
        msgspec.msgpack.decode(snapshot.prices, type=PriceBook) if snapshot.prices else PriceBook("none", {})
    )
    urls = {"simulator": env[SIMULATOR_URL]} if env.get(SIMULATOR_URL) else {}
    return compile_plan(
        snapshot.document,
        revision=snapshot.revision,
        prices=prices,
        reveal=lambda secret: secret.resolve(env),
        urls=urls,
        now_ms=now_ms,
        proxy=lambda scheme, host: proxy_for(env, scheme, host),
    )
