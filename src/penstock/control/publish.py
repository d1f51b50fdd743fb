"""From a configuration file (or the environment) and stored objects to what every gateway reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from penstock.compile.alerts import webhooks_of
from penstock.compile.plan import compile_plan
from penstock.compile.targets import CompileError, price_id_of
from penstock.config.detect import detect
from penstock.config.document import Document, Secret, SecretError, VirtualKey
from penstock.config.load import load_node, read_text
from penstock.config.merge import clashes, digest_of, document_of, items_of
from penstock.config.problem import ConfigError
from penstock.config.snapshot import Snapshot, make_snapshot, with_fetched, write_snapshot
from penstock.config.source import Json, plain_source
from penstock.config.yaml_text import parse_yaml
from penstock.control.admin_key import ADMIN_KEY, stored_hash
from penstock.control.known import read_known
from penstock.core.price_book import PriceBook
from penstock.ports.control_store import Item, ManagedBy
from penstock.ports.secrets import SecretBox

_PLACEHOLDER_URL = "http://127.0.0.1:9/v1"
# These parts of a file are each machine's own; the rest is shared by all that share a database.
OWN_SETTINGS = frozenset({"server", "journal"})


@dataclass(frozen=True)
class FileContent:
    """A valid file, or what stands in for one, taken apart. `digest` changes when the meaning of `items` does.

    `own` is what holds for this machine alone and is no part of revisions: its addresses, paths and journal.
    """

    items: list[Item]
    own: list[Item]
    digest: str
    notices: list[str]


def _nothing(_document: Document) -> Mapping[str, str]:
    return {}


class Publisher:
    """Publishes the configuration of one installation; an invalid one never replaces a valid one.

    `server` holds what the command line says of `listen` and `state_dir`, which wins over the file.
    `published` is told of each document that is in force, and what its secrets are resolved with; `fetch` gives
    what it names in Vault. `known` is where control keeps what it published. `box` seals snapshots, `stored`
    has sealed the secrets of stored objects.
    `token_keys` gives the public keys of the document's issuers of tokens, as far as they are known.
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
        stored: SecretBox | None = None,
        server: Mapping[str, str] | None = None,
        published: Callable[[Document, Mapping[str, str]], None] | None = None,
        known: Path | None = None,
        fetch: Callable[[Document], Mapping[str, str]] = _nothing,
        token_keys: Callable[[Document], dict[str, bytes]] = lambda _: {},
    ) -> None:
        self._token_keys = token_keys
        self._config = config
        self._snapshot = snapshot
        self._admin_key = admin_key
        self._env = env
        self._prices = prices
        self._box = box
        self._stored = stored or box
        self._server = dict(server or {})
        self._published = published
        self._known = known
        self._fetch = fetch
        self.notices: list[str] = []
        self.in_force: Document | None = None

    def read(self) -> Document:
        """The document without a database: the file, and stored objects as last known. Raises ConfigError."""
        file = self.file()
        self.notices = file.notices
        known = read_known(self._known) if self._known is not None else None
        if known is None:
            return self.document([*file.items, *file.own])
        if known.file == file.digest:
            return self.document([*known.items, *file.own])
        stored = [item for item in known.items if item.managed_by == "api"]
        refuse_clashes(file.items, stored)
        return self.document([*file.items, *stored, *file.own])

    def file(self) -> FileContent:
        """The file's content; what the environment offers where there is none. Raises ConfigError."""
        if self._config is None:
            document, notices = detect(self._env)
            source = _source_of(document)
            return _content(source, document, "environment", notices)
        name = str(self._config)
        root, problems = parse_yaml(read_text(self._config), name)
        if root is None:
            if problems:
                raise ConfigError(name, problems)
            return _content({}, Document(), "file", [])
        document = load_node(root, self._env, name, found=problems)
        source = plain_source(root)
        return _content(source, document, "file", [])

    def document(self, items: Iterable[Item]) -> Document:
        """One document of items, with the key that administers a set-up without keys. Raises ConfigError."""
        document = document_of(items, self._env, self._stored.unseal)
        digest = stored_hash(self._admin_key)
        if digest is not None and not any(key.name == ADMIN_KEY for key in document.keys):
            admin = VirtualKey(name=ADMIN_KEY, secret=Secret.hashed(digest), direct=True)
            document = msgspec.structs.replace(document, keys=(*document.keys, admin))
        if self._server:
            server = msgspec.structs.replace(document.server, **self._server)
            document = msgspec.structs.replace(document, server=server)
        return document

    def snapshot(self, document: Document, now_ms: int) -> Snapshot:
        """Try the document out and make its snapshot. Raises CompileError, SnapshotError."""
        try:
            fetched = self._fetch(document)
        except SecretError as error:
            raise CompileError(str(error)) from None
        env = with_fetched(self._env, fetched)
        webhooks_of(document, env)
        _check_logins(document, env)
        compile_plan(
            document,
            revision="",
            prices=self._prices,
            reveal=lambda secret: secret.resolve(env),
            urls={"simulator": _PLACEHOLDER_URL},
            now_ms=now_ms,
        )
        prices = msgspec.msgpack.encode(_wanted(self._prices, document))
        return make_snapshot(document, env, now_ms, prices, fetched, self._token_keys(document))

    def write(self, snapshot: Snapshot) -> None:
        """Put a snapshot where gateways look. Raises SnapshotError, OSError."""
        write_snapshot(self._snapshot, snapshot, self._box)
        self.in_force = snapshot.document
        if self._published is not None:
            self._published(snapshot.document, snapshot.environment(self._env))

    def reveal(self, secret: Secret, snapshot: Snapshot | None) -> str:
        """A secret of the document that a snapshot holds. Raises SecretError."""
        return secret.resolve(snapshot.environment(self._env) if snapshot is not None else self._env)

    def publish(self, document: Document, now_ms: int) -> Snapshot:
        """Try the document out, then write its snapshot. Raises CompileError, SnapshotError, OSError."""
        snapshot = self.snapshot(document, now_ms)
        self.write(snapshot)
        return snapshot


def _content(source: Json, document: Document, managed_by: ManagedBy, notices: list[str]) -> FileContent:
    items = items_of(source, document, managed_by)
    own = [item for item in items if item.kind == "settings" and item.name in OWN_SETTINGS]
    shared = {name: said for name, said in source.items() if name not in OWN_SETTINGS}
    return FileContent([item for item in items if item not in own], own, digest_of(shared), notices)


def refuse_clashes(file: Iterable[Item], stored: Iterable[Item]) -> None:
    """Names are unique across the file and the stored objects. Raises ConfigError."""
    problems = clashes(file, stored)
    if problems:
        raise ConfigError("the configuration file", problems)


def _source_of(document: Document) -> Json:
    """What was detected, in the shape of a file."""

    def written(value: object) -> object:
        if isinstance(value, Secret):
            return value.stored()
        raise NotImplementedError(type(value).__name__)

    providers: dict[str, Json] = {
        name: {
            key: value
            for key, value in msgspec.to_builtins(provider, enc_hook=written).items()
            if value not in (None, {})
        }
        for name, provider in document.providers.items()
    }
    return {"providers": providers, "defaults": {"provider_order": list(document.defaults.provider_order)}}


def _check_logins(document: Document, env: Mapping[str, str]) -> None:
    for name, provider in document.auth.oidc.items():
        try:
            if provider.client_secret is not None:
                provider.client_secret.resolve(env)
        except SecretError as error:
            raise CompileError(f"auth.oidc.{name}.client_secret: {error}") from None


def _wanted(prices: PriceBook, document: Document) -> PriceBook:
    """The part of the catalogue that these providers can need: a gateway holds no more."""
    ids = {price_id_of(provider, prices) for provider in document.providers.values()}
    kept = {name: prices.providers[name] for name in sorted(i for i in ids if i is not None)}
    return PriceBook(prices.version, kept)
