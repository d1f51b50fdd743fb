"""The file's objects and the stored ones as one list, and that list as one document.

Everything that is configured is an `Item` here, whoever manages it. The file is taken apart into items, the
stored ones come as they are, and what gateways get is read from both by the reader that reads a file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import msgspec
from msgspec import inspect

from penstock.config import document as doc
from penstock.config import node as nodes
from penstock.config.document import Document
from penstock.config.load import load_node
from penstock.config.node import Node
from penstock.config.problem import ConfigError, Problem, child
from penstock.config.source import Json, to_node
from penstock.ports.control_store import Item, Kind, ManagedBy
from penstock.ports.secrets import UnsealError

SOURCE = "the configuration"
SECTIONS: dict[Kind, str] = {
    "provider": "providers",
    "deployment": "deployments",
    "guard": "guards",
    "route": "routes",
}
# The parts of the file that are no objects of their own: one item each.
SETTINGS = ("version", "server", "journal", "auth", "defaults", "vault", "alerts")
TYPES: dict[Kind, type] = {
    "provider": doc.Provider,
    "deployment": doc.Deployment,
    "guard": doc.Guard,
    "route": doc.Route,
    "org": doc.Org,
    "team": doc.Team,
    "user": doc.User,
    "throttle": doc.Throttle,
    "key": doc.VirtualKey,
}
_SETTING_TYPES: dict[str, type] = {
    "server": doc.Server,
    "journal": doc.Journal,
    "auth": doc.Auth,
    "defaults": doc.Defaults,
    "vault": doc.Vault,
    "alerts": doc.Alerts,
}
# Kinds whose bodies tenants write: a `${…}` in them is text, or they could read this process's environment.
LITERAL: frozenset[Kind] = frozenset(
    {"org", "team", "user", "key", "service_account", "role_binding", "throttle"}
)
# The row of an organisation's users that holds for each one without a row: it is part of the organisation.
EVERYBODY = "*"
# What control knows of a stored key besides its configuration stands in its body under these names.
SECRET_HASH, PREVIOUS, STATE, PREFIX, ROTATED = "$sha256", "$previous", "$state", "$prefix", "$rotated_ms"
# Fields of a stored key that say whose it is and what it opens here; gateways have no use for them.
CONTROL_FIELDS = frozenset({"service_account", "admin_api"})


def type_of(item: Item) -> inspect.Type | None:
    """The document's type of an item's body, None where it has none."""
    cls = _SETTING_TYPES.get(item.name) if item.kind == "settings" else TYPES.get(item.kind)
    return inspect.type_info(cls) if cls is not None else None


def digest_of(source: Json) -> str:
    """What changes when the meaning of a file does, and not with its comments or layout."""
    return hashlib.sha256(msgspec.json.encode(source, order="deterministic")).hexdigest()


def items_of(source: Json, document: Document, managed_by: ManagedBy = "file") -> list[Item]:
    """A file's content, as plain JSON and as the valid document that was read from it, as items.

    Organisations and teams that its keys found by naming them become objects.
    """
    source = cast("dict[str, Any]", source) if isinstance(source, dict) else {}
    items = [
        Item(kind="settings", name=name, managed_by=managed_by, body={"value": source[name]})
        for name in SETTINGS
        if name in source
    ]
    for kind, section in SECTIONS.items():
        items += [
            Item(kind=kind, name=name, managed_by=managed_by, body=body)
            for name, body in source.get(section, {}).items()
        ]
    items += _tenants(source, document, managed_by)
    for written, key in zip(source.get("keys", []), document.keys, strict=True):
        body = {name: value for name, value in written.items() if name not in {"name", "org"}}
        items.append(
            Item(
                kind="key",
                org=key.org or "",
                name=key.name,
                team=key.team or "",
                managed_by=managed_by,
                body=body,
            )
        )
    return items


def _tenants(source: dict[str, Any], document: Document, managed_by: ManagedBy) -> list[Item]:
    items: list[Item] = []
    teams: dict[str, dict[str, Any]] = {name: {} for name in source.get("orgs", {})}
    for name, org in source.get("orgs", {}).items():
        body = {key: value for key, value in org.items() if key not in {"teams", "users", "throttles"}}
        people = org.get("users", {})
        if EVERYBODY in people:
            body["users"] = {EVERYBODY: people[EVERYBODY]}
        items.append(Item(kind="org", org=name, name=name, managed_by=managed_by, body=body))
        teams[name] = dict(org.get("teams", {}))
        items += [
            Item(kind="user", org=name, name=user, managed_by=managed_by, body=said)
            for user, said in people.items()
            if user != EVERYBODY
        ]
        items += [
            Item(kind="throttle", org=name, name=throttle, managed_by=managed_by, body=said)
            for throttle, said in org.get("throttles", {}).items()
        ]
    for key in document.keys:
        if key.org and key.org not in teams:
            items.append(Item(kind="org", org=key.org, name=key.org, managed_by=managed_by, body={}))
        if key.org:
            known = teams.setdefault(key.org, {})
            if key.team:
                known.setdefault(key.team, {})
    items += [
        Item(kind="team", org=org, name=name, team=name, managed_by=managed_by, body=body)
        for org, named in teams.items()
        for name, body in named.items()
    ]
    return items


def key_id(item: Item) -> str:
    """What a key is called in logs, ledger and limits: of the file's keys the name, of others `org:name`."""
    return f"{item.org}:{item.name}" if item.managed_by == "api" and item.org else item.name


def document_of(
    items: Iterable[Item], env: Mapping[str, str], unseal: Callable[[bytes], bytes], source: str = SOURCE
) -> Document:
    """One document of all items.

    Raises:
        ConfigError: together they cannot be used; has every problem, by path.
    """
    root: dict[str, Any] = {}
    literal: dict[Kind, list[Item]] = {}
    for item in sorted(items, key=lambda one: one.key):
        if item.kind == "settings":
            root[item.name] = item.body["value"]
        elif item.kind in SECTIONS:
            root.setdefault(SECTIONS[item.kind], {})[item.name] = item.body
        else:
            literal.setdefault(item.kind, []).append(item)
    try:
        node = to_node(root, unseal)
        return load_node(_with_tenants(node, literal, unseal), env, source)
    except UnsealError as error:
        raise ConfigError(source, [Problem(path="", line=0, column=0, message=str(error))]) from None


def _with_tenants(node: Node, kinds: dict[Kind, list[Item]], unseal: Callable[[bytes], bytes]) -> Node:
    orgs: dict[str, dict[str, dict[str, Node]]] = {}
    bodies: dict[str, dict[str, Node]] = {}

    def entry(value: Node) -> nodes.Entry:
        return nodes.Entry(line=0, column=0, value=value)

    def mapping(values: dict[str, Node]) -> nodes.Mapping:
        return nodes.Mapping(line=0, column=0, entries={name: entry(value) for name, value in values.items()})

    def read(item: Item, body: Json) -> dict[str, Node]:
        found = to_node(body, unseal, literal=item.managed_by == "api")
        return (
            {name: one.value for name, one in found.entries.items()} if isinstance(found, nodes.Mapping) else {}
        )

    for item in kinds.get("org", []):
        bodies[item.name] = read(item, item.body)
    within: tuple[tuple[Kind, str], ...] = (("team", "teams"), ("user", "users"), ("throttle", "throttles"))
    for kind, section in within:
        for item in kinds.get(kind, []):
            if item.org:
                orgs.setdefault(item.org, {}).setdefault(section, {})[item.name] = mapping(
                    read(item, item.body)
                )
    keys = [mapping(read(item, key_source(item))) for item in kinds.get("key", []) if is_active(item)]
    tenants: dict[str, Node] = {
        name: mapping(_org(body, orgs.get(name, {}), mapping)) for name, body in bodies.items()
    }
    entries = dict(node.entries) if isinstance(node, nodes.Mapping) else {}
    if tenants:
        entries["orgs"] = entry(mapping(tenants))
    if keys:
        entries["keys"] = entry(nodes.Sequence(line=0, column=0, items=tuple(keys)))
    return nodes.Mapping(line=0, column=0, entries=entries)


def _org(
    body: dict[str, Node],
    sections: dict[str, dict[str, Node]],
    mapping: Callable[[dict[str, Node]], nodes.Mapping],
) -> dict[str, Node]:
    """An organisation with its teams and users; its own body may have the row for everybody."""
    whole = dict(body)
    for section, found in sections.items():
        own = whole.get(section)
        already = (
            {name: one.value for name, one in own.entries.items()} if isinstance(own, nodes.Mapping) else {}
        )
        whole[section] = mapping({**already, **found})
    return whole


def is_active(item: Item) -> bool:
    """Whether a key opens anything."""
    return item.body.get(STATE, "active") == "active"


def key_source(item: Item) -> dict[str, Any]:
    """A key's entry as a file would have it."""
    body = {
        name: value
        for name, value in item.body.items()
        if not name.startswith("$") and name not in CONTROL_FIELDS
    }
    said: dict[str, Any] = {"name": key_id(item), **({"org": item.org} if item.org else {}), **body}
    if "service_account" in item.body:
        said["user"] = item.body["service_account"]
    if SECRET_HASH in item.body:
        said["secret"] = f"${{sha256:{item.body[SECRET_HASH]}}}"
    if item.body.get(PREVIOUS):
        said["previous"] = [
            {"secret": f"${{sha256:{one['sha256']}}}", "until": one["until"]} for one in item.body[PREVIOUS]
        ]
    return said


def clashes(file: Iterable[Item], stored: Iterable[Item]) -> list[Problem]:
    """A problem for each object of the file whose name a stored one has."""
    taken = {item.key for item in stored if item.managed_by == "api"}
    return [
        Problem(
            path=path_of(item),
            line=0,
            column=0,
            message=f"a {item.kind.replace('_', ' ')} of this name was made through the admin API",
            hint="rename one, or delete the other one with the admin API",
        )
        for item in file
        if item.key in taken
    ]


def path_of(item: Item) -> str:
    """Where an object stands in the document."""
    match item.kind:
        case "settings":
            return item.name
        case "org":
            return child("orgs", item.name)
        case "team" | "user" | "throttle":
            return child(child(child("orgs", item.org), f"{item.kind}s"), item.name)
        case "key":
            return child("keys", key_id(item))
        case _:
            return child(SECTIONS.get(item.kind, item.kind), item.name)
