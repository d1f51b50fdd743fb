"""The Plan of a configuration document."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from penstock.compile.allowances import Rules, rules_of, session_of, weights_of
from penstock.compile.health import places_of, rule_of
from penstock.compile.hooks import hook_of
from penstock.compile.key_bounds import bounds_of, network
from penstock.compile.policies import Policies
from penstock.compile.routes import RANKS, route_of
from penstock.compile.scopes import Scopes
from penstock.compile.screens import Screens
from penstock.compile.targets import CompileError, Proxy, deployment_from, no_proxy, provider_from
from penstock.compile.tokens import issuers_of, tenants_of
from penstock.config import document as doc
from penstock.core.exchange import Subject
from penstock.core.plan import KeyBounds, Plan, Route, VirtualKey
from penstock.core.price_book import PriceBook
from penstock.core.target import Target
from penstock.routing.trees import targets_of

DEFAULT_ORG = "default"


def compile_plan(
    document: doc.Document,
    *,
    revision: str,
    prices: PriceBook,
    reveal: Callable[[doc.Secret], str],
    urls: Mapping[str, str],
    now_ms: int,
    proxy: Proxy = no_proxy,
) -> Plan:
    """Work out a document.

    `reveal` gives a secret's value; `urls` are addresses that the document does not hold (the simulator's);
    `proxy` names the proxy that leads to (scheme, host).
    Raises CompileError, which names the key at fault.
    """
    ca_file = document.server.ca_file or ""
    planned = partial(provider_from, reveal=reveal, prices=prices, urls=urls, ca_file=ca_file, proxy=proxy)
    providers = {name: planned(name, config) for name, config in document.providers.items()}
    scopes = Scopes(document, lambda own: planned(own.provider, own.config, own=own))
    deployments = {
        name: deployment_from(name, config, providers[config.provider], prices, now_ms)
        for name, config in document.deployments.items()
    }
    hook = partial(hook_of, reveal=reveal, ca_file=ca_file, proxy=proxy)
    find = Policies(providers, deployments, prices, now_ms, hook)
    guards, defaults = Screens(document, reveal, ca_file, proxy).of, document.defaults
    routes = {name: route_of(name, config, find, defaults, guards) for name, config in document.routes.items()}
    rules = rules_of(document)
    keys = [key for config in document.keys for key in _keys(config, reveal, rules, scopes)]
    return Plan(
        revision=revision,
        routes=routes,
        deployments=deployments,
        providers=providers,
        provider_order=document.defaults.provider_order,
        keys=_by_hash(keys),
        direct_open=not routes,
        prices=prices,
        on_unsupported=document.defaults.on_unsupported,
        refuse_unpriced=document.defaults.on_unknown_price == "refuse",
        max_output_tokens=document.defaults.max_output_tokens,
        keeps_responses=document.defaults.responses_store == "on",
        accounts=rules.accounts,
        users=rules.users,
        throttles=rules.throttles,
        tag_rules=rules.tags,
        session=session_of(document.defaults.session),
        weights=weights_of(document),
        own=scopes.own,
        region=document.server.region or "",
        issuers=issuers_of(document, rules),
        tenants=tenants_of(document, rules, scopes.of),
        trusted_proxies=tuple(network(text) for text in document.server.trusted_proxies),
        places=dict(places_of(document, [*deployments.values(), *_routed(routes)])),
        health=rule_of(document.defaults.health),
    )


def _by_hash(keys: list[VirtualKey]) -> dict[bytes, VirtualKey]:
    by_hash = {key.secret_hash: key for key in keys}
    if len(by_hash) != len(keys):
        raise CompileError("keys: two keys have the same secret")
    return by_hash


def _routed(routes: dict[str, Route]) -> Iterator[Target]:
    for route in routes.values():
        yield from targets_of(route.policy)


def _keys(
    config: doc.VirtualKey, reveal: Callable[[doc.Secret], str], rules: Rules, scopes: Scopes
) -> Iterator[VirtualKey]:
    """The key under its secret, and under each one from before a rotation, as long as that works."""
    secret_hash = _hash(config.name, config.secret, reveal)
    yield _key(config, secret_hash, bounds_of(config), rules, scopes)
    for earlier in config.previous:
        secret_hash = _hash(config.name, earlier.secret, reveal)
        yield _key(config, secret_hash, bounds_of(config, earlier.until), rules, scopes)


def _key(
    config: doc.VirtualKey, secret_hash: bytes, bounds: KeyBounds | None, rules: Rules, scopes: Scopes
) -> VirtualKey:
    subject = Subject(config.org or DEFAULT_ORG, config.team or "", config.user or "", config.name)
    return VirtualKey(
        id=config.name,
        secret_hash=secret_hash,
        subject=subject,
        routes=frozenset(config.routes) if config.routes is not None else None,
        direct=config.direct,
        tags=dict(config.tags),
        accounts=rules.accounts_of(subject),
        rank=RANKS[config.priority],
        scope=scopes.of(subject.org, subject.team, config.name, config.require),
        bounds=bounds,
    )


def _hash(name: str, secret: doc.Secret, reveal: Callable[[doc.Secret], str]) -> bytes:
    if secret.kind == "sha256":
        return bytes.fromhex(str(secret.stored()))
    try:
        return hashlib.sha256(reveal(secret).encode()).digest()
    except doc.SecretError as error:
        raise CompileError(f"keys.{name}.secret: {error}") from None
