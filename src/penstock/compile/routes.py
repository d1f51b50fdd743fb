"""Routes of a document: their policies, and everything that holds for requests to them."""

from __future__ import annotations

from penstock.compile.allowances import session_of
from penstock.compile.caching import cache_of
from penstock.compile.evals import check_drill, cohort_of, evaluation_of
from penstock.compile.handling import requirement_of
from penstock.compile.policies import Policies
from penstock.compile.prompt_caches import with_prompt_cache
from penstock.compile.screens import GuardsOf
from penstock.config import document as doc
from penstock.config.guard_kinds import SCHEMA
from penstock.core.compress_rule import CompressRule
from penstock.core.fair_queue import HIGH, LOW, NORMAL
from penstock.core.plan import Mirror, Route, Timeouts
from penstock.core.policy import TargetNode
from penstock.core.retry import RetryRule
from penstock.core.structured import StructuredRule

RANKS = {"high": HIGH, "normal": NORMAL, "low": LOW}


def route_of(name: str, config: doc.Route, find: Policies, defaults: doc.Defaults, guards: GuardsOf) -> Route:
    """A route, ready for requests. Raises CompileError."""
    retry, timeouts = config.retry, config.timeouts
    policy = with_prompt_cache(find.policy(config.policy, name, cohort_of(config)), config)
    if config.drill is not None:
        check_drill(name, config.drill, policy)
    keeps = defaults.responses_store
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
        mirror=_mirror(name, config, find, guards),
        screen=guards(config.guards),
        resumes=config.on_break == "resume",
        structured=_structured(config),
        compress=_compress(config),
        evals=evaluation_of(name, config),
        cohort=cohort_of(config),
        cache=cache_of(config, policy, defaults),
    )


def _structured(route: doc.Route) -> StructuredRule | None:
    """As the route says; the guard `schema` alone asks nobody again."""
    config = route.structured
    if config is None:
        return StructuredRule(reasks=0) if SCHEMA in route.guards.output else None
    return StructuredRule(config.lenient, config.reasks, config.on_invalid == "pass", config.aliases)


def _compress(config: doc.Route) -> CompressRule | None:
    if config.compress == "off":
        return None
    return CompressRule(config.compress_keep if config.compress == "lossy" else 1.0)


def _mirror(name: str, config: doc.Route, find: Policies, guards: GuardsOf) -> Mirror | None:
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
        screen=guards(config.guards),
    )
    return Mirror(candidate, mirror.percent, mirror.concurrency)
