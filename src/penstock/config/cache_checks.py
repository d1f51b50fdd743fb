"""What must agree in caches: where answers are kept, what may be kept at all, who asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import msgspec

from penstock.config.document import CachedNode, Document, PolicyNode
from penstock.config.problem import child

Found = tuple[str, str, str]


def cache_problems(document: Document) -> Iterator[Found]:
    """Path, message and hint of each problem."""
    server = document.server
    if server.cache.store == "redis" and server.redis_url is None:
        yield "server.cache.store", "has no effect: there is no Redis", "set server.redis_url, or use sqlite"
    for name, route in document.routes.items():
        path, cache = child("routes", name), route.cache
        if cache is not None and cache.exact is None and cache.semantic is None:
            yield child(path, "cache"), "nothing is kept", "add exact: {ttl_s: 3600}"
        if (cache is None or cache.exact is None) and has_cached(route.policy):
            hint = "add cache: {exact: {ttl_s: 3600}} to the route"
            yield child(path, "policy"), "`cached` has nothing to answer with", hint


def has_cached(policy: PolicyNode) -> bool:
    """Whether a policy falls back to kept answers anywhere."""
    return any(isinstance(node, CachedNode) for node in _all(policy))


def _all(value: object) -> Iterator[object]:
    """Every piece of a policy."""
    yield value
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _all(getattr(value, name))
    elif isinstance(value, tuple | list):
        for each in cast("tuple[object, ...]", value):
            yield from _all(each)
    elif isinstance(value, dict):
        for each in cast("dict[str, object]", value).values():
            yield from _all(each)
