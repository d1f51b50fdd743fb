"""A route's cache, compiled; with it the digest of everything that decides how the route answers."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, cast

import msgspec

from penstock.compile.conditions import condition_of
from penstock.config import document as doc
from penstock.core.cache_plan import CachePlan, SemanticPlan
from penstock.core.policy import CachedNode, PolicyNode
from penstock.core.predicates import kind_of
from penstock.core.target import Target
from penstock.routing.trees import targets_of

# What conditions ask of the request itself stands in its fingerprint, and the hour is nobody's.
_OF_THE_REQUEST = frozenset({"input_tokens", "max_tokens", "tools", "images", "hour", "region"})
# What of a route changes no answer. Everything else does, what comes to be written there later included.
_NO_MATTER = frozenset(
    {
        "retry", "health", "timeouts", "slo", "tags", "evals", "mirror", "capture", "responses_store", "limits",
        "budget", "budgets", "session", "priority", "owner", "purpose",
    }
)  # fmt: skip
# How nodes call what keeps requests together, and what of the caller that is.
_KEPT_BY = {"user": "user", "key": "key", "session": "request.tags.session"}


def cache_of(config: doc.Route, policy: PolicyNode, defaults: doc.Defaults) -> CachePlan | None:
    """The cache of a route; None where it has none."""
    cache = config.cache
    if cache is None or (cache.exact is None and cache.semantic is None):
        return None
    exact = cache.exact
    ttl_s = exact.ttl_s if exact is not None else 0
    if_error = (exact.stale_if_error_s or 0) if exact is not None else 0
    asked = max([node.max_age_s for node in _nodes(policy) if isinstance(node, CachedNode)], default=0.0)
    semantic = cache.semantic
    return CachePlan(
        digest=digest_of(config, policy, defaults),
        scope=cache.scope,
        ttl_s=ttl_s,
        stale_s=max(if_error, int(asked) - ttl_s, 0),
        stale_if_error_s=if_error,
        when=condition_of(cache.when) if cache.when is not None else None,
        skips_time="time" in cache.skip,
        narrows_personal="personal" in cache.skip,
        also=frozenset(cache.also),
        names=tuple(sorted(set(_names(msgspec.to_builtins(config.policy, enc_hook=str))))),
        wait_s=cache.wait_s,
        max_entry_bytes=cache.max_entry_bytes,
        semantic=_semantic(semantic, ttl_s) if semantic is not None else None,
    )


def _semantic(config: doc.SemanticCache, ttl_s: int) -> SemanticPlan:
    learnt = config.threshold == "auto"
    return SemanticPlan(
        threshold=0.0 if learnt else float(config.threshold),
        ttl_s=config.ttl_s or ttl_s,
        deadline_s=config.deadline_ms / 1000.0,
        bound=config.error if learnt else 0.0,
        verify=config.verify,
        shadow=config.shadow,
    )


def digest_of(config: doc.Route, policy: PolicyNode, defaults: doc.Defaults) -> bytes:
    """What changes as soon as the same request might be answered in another way, or at another price."""
    written = {name: getattr(config, name) for name in config.__struct_fields__ if name not in _NO_MATTER}
    said: list[Any] = [
        msgspec.to_builtins(written, enc_hook=str),
        [defaults.on_unsupported, defaults.max_output_tokens],
        [_told(target) for target in targets_of(policy)],
    ]
    return blake2b(msgspec.json.encode(said, order="deterministic"), digest_size=32).digest()


def _told(target: Target) -> list[Any]:
    """All that tells one target from another, but for its credential: a new one answers the same."""
    origin = target.origin
    prompt = target.prompt
    card = target.card
    # The version is the catalogue's, which may be newer without another price.
    price = msgspec.to_builtins(msgspec.structs.replace(card, version=""), enc_hook=str) if card else None
    return [
        [target.id, target.variant, target.kind, target.model, target.max_output_tokens, target.set_cap],
        [origin.scheme, origin.host, origin.port, origin.socket, target.base_path, target.query],
        {name: text.decode() for name, text in target.set_fields.items()},
        [prompt.system, prompt.prefix, prompt.suffix] if prompt is not None else None,
        price,
        [target.api, target.embed_api, target.rerank_api, sorted(target.speaks)],
    ]


def _nodes(node: PolicyNode) -> Iterator[PolicyNode]:
    yield node
    for child in node.below():
        yield from _nodes(child)


def _names(value: object) -> Iterator[str]:
    """Names in conditions, and what nodes keep together, of the caller."""
    if isinstance(value, dict):
        for name, inner in cast("dict[str, object]", value).items():
            if kind_of(name) is not None and name not in _OF_THE_REQUEST:
                yield name
            if name == "by" and isinstance(inner, str) and inner in _KEPT_BY:
                yield _KEPT_BY[inner]
            yield from _names(inner)
    elif isinstance(value, list | tuple):
        for inner in cast("list[object]", value):
            yield from _names(inner)
