"""The Plan of a configuration document."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from penstock.compile.allowances import Rules, rules_of, session_of, weights_of
from penstock.compile.evals import check_drill, cohort_of, evaluation_of
from penstock.compile.handling import requirement_of
from penstock.compile.health import places_of, rule_of
from penstock.compile.hooks import hook_of
from penstock.compile.key_bounds import bounds_of, network
from penstock.compile.policies import Policies
from penstock.compile.prompt_caches import with_prompt_cache
from penstock.compile.scopes import Scopes
from penstock.compile.targets import CompileError, Proxy, deployment_from, no_proxy, provider_from
from penstock.compile.tokens import issuers_of, tenants_of
from penstock.config import document as doc
from penstock.core.compress_rule import CompressRule
from penstock.core.exchange import Subject
from penstock.core.fair_queue import HIGH, LOW, NORMAL
from penstock.core.plan import KeyBounds, Mirror, Plan, Route, Timeouts, VirtualKey
from penstock.core.policy import TargetNode
from penstock.core.price_book import PriceBook
from penstock.core.retry import RetryRule
from penstock.core.structured import StructuredRule
from penstock.core.target import Target
from penstock.routing.trees import targets_of

DEFAULT_ORG = "default"
RANKS = {"high": HIGH, "normal": NORMAL, "low": LOW}


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
    keeps = document.defaults.responses_store
    routes = {name: _route(name, config, find, keeps) for name, config in document.routes.items()}
    rules = rules_of(document)
    issuers = issuers_of(document, rules)
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
        keeps_responses=keeps == "on",
        accounts=rules.accounts,
        users=rules.users,
        throttles=rules.throttles,
        tag_rules=rules.tags,
        session=session_of(document.defaults.session),
        weights=weights_of(document),
        own=scopes.own,
        region=document.server.region or "",
        issuers=issuers,
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


def _route(name: str, config: doc.Route, find: Policies, keeps: str) -> Route:
    retry, timeouts = config.retry, config.timeouts
    policy = with_prompt_cache(find.policy(config.policy, name, cohort_of(config)), config)
    if config.drill is not None:
        check_drill(name, config.drill, policy)
    return Route(
        name=name,
        policy=policy,
        retry=RetryRule(retry.attempts, retry.backoff_s, retry.max_backoff_s, retry.max_retry_share),
        timeouts=Timeouts(timeouts.connect_s, timeouts.first_event_s, timeouts.idle_s, timeouts.total_s),
        required_tags=frozenset(config.tags.required),
        success=frozenset(config.success.all),
        keeps_responses=(config.responses_store or keeps) == "on",
        session=session_of(config.session) if config.session is not None else None,
        rank=RANKS[config.priority] if config.priority is not None else None,
        requires=requirement_of(config.require),
        skips=config.health.skip,
        max_slow=config.health.max_slow,
        mirror=_mirror(name, config, find),
        resumes=config.on_break == "resume",
        structured=_structured(config.structured),
        compress=_compress(config),
        evals=evaluation_of(name, config),
        cohort=cohort_of(config),
    )


def _structured(config: doc.Structured | None) -> StructuredRule | None:
    if config is None:
        return None
    return StructuredRule(config.lenient, config.reasks, config.on_invalid == "pass", config.aliases)


def _compress(config: doc.Route) -> CompressRule | None:
    if config.compress == "off":
        return None
    return CompressRule(config.compress_keep if config.compress == "lossy" else 1.0)


def _mirror(name: str, config: doc.Route, find: Policies) -> Mirror | None:
    mirror, timeouts = config.mirror, config.timeouts
    if mirror is None:
        return None
    candidate = Route(
        name=f"{name} (mirror)",  # what may be used of a route is remembered by its name
        policy=TargetNode(find.target(mirror.to)),
        retry=RetryRule(attempts=1),
        timeouts=Timeouts(timeouts.connect_s, timeouts.first_event_s, timeouts.idle_s, timeouts.total_s),
        success=frozenset(config.success.all),
        keeps_responses=False,
        requires=requirement_of(config.require),
    )
    return Mirror(candidate, mirror.percent, mirror.concurrency)


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
