"""From a configuration file (or the environment) to the snapshot that every gateway reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from penstock.compile.alerts import webhooks_of
from penstock.compile.plan import compile_plan
from penstock.compile.targets import CompileError, price_id_of
from penstock.config.detect import detect
from penstock.config.document import Document, Secret, SecretError, VirtualKey
from penstock.config.load import load_file
from penstock.config.snapshot import Snapshot, make_snapshot, with_fetched, write_snapshot
from penstock.control.admin_key import ADMIN_KEY, stored_hash
from penstock.core.price_book import PriceBook
from penstock.ports.secrets import SecretBox

_PLACEHOLDER_URL = "http://127.0.0.1:9/v1"


def _nothing(_document: Document) -> Mapping[str, str]:
    return {}


class Publisher:
    """Publishes the configuration of one installation; an invalid one never replaces a valid one.

    `server` holds what the command line says of `listen` and `state_dir`, which wins over the file.
    `published` is told of each document that is in force, and what its secrets are resolved with; `fetch` gives
    what it names in Vault.
    """

    def __init__(
        self,
        *,
        config: Path | None,
        snapshot: Path,
        admin_key: Path,
        env: Mapping[str, str],
        prices: PriceBook,
        box: SecretBox,
        server: Mapping[str, str] | None = None,
        published: Callable[[Document, Mapping[str, str]], None] | None = None,
        fetch: Callable[[Document], Mapping[str, str]] = _nothing,
    ) -> None:
        self._config = config
        self._snapshot = snapshot
        self._admin_key = admin_key
        self._env = env
        self._prices = prices
        self._box = box
        self._server = dict(server or {})
        self._published = published
        self._fetch = fetch
        self.notices: list[str] = []

    def read(self) -> Document:
        """The document, with the key that administers a set-up without keys. Raises ConfigError."""
        if self._config is not None:
            document = load_file(self._config, self._env)
        else:
            document, self.notices = detect(self._env)
        digest = stored_hash(self._admin_key)
        if digest is not None and not any(key.name == ADMIN_KEY for key in document.keys):
            admin = VirtualKey(name=ADMIN_KEY, secret=Secret.hashed(digest), direct=True)
            document = msgspec.structs.replace(document, keys=(*document.keys, admin))
        if self._server:
            server = msgspec.structs.replace(document.server, **self._server)
            document = msgspec.structs.replace(document, server=server)
        return document

    def publish(self, document: Document, now_ms: int) -> Snapshot:
        """Try the document out, then write its snapshot. Raises CompileError, SnapshotError, OSError."""
        try:
            fetched = self._fetch(document)
        except SecretError as error:
            raise CompileError(str(error)) from None
        env = with_fetched(self._env, fetched)
        webhooks_of(document, env)
        compile_plan(
            document,
            revision="",
            prices=self._prices,
            reveal=lambda secret: secret.resolve(env),
            urls={"simulator": _PLACEHOLDER_URL},
            now_ms=now_ms,
        )
        prices = msgspec.msgpack.encode(_wanted(self._prices, document))
        snapshot = make_snapshot(document, env, now_ms, prices, fetched)
        write_snapshot(self._snapshot, snapshot, self._box)
        if self._published is not None:
            self._published(document, env)
        return snapshot


def _wanted(prices: PriceBook, document: Document) -> PriceBook:
    """The part of the catalogue that these providers can need: a gateway holds no more."""
    ids = {price_id_of(provider, prices) for provider in document.providers.values()}
    kept = {name: prices.providers[name] for name in sorted(i for i in ids if i is not None)}
    return PriceBook(prices.version, kept)
