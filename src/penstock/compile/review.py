"""What is valid and yet deserves a look: facts that nobody checked for long, routes that serve nobody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import cast

import msgspec

from penstock.compile.dry import dry_plan
from penstock.compile.evals import sources_of
from penstock.compile.handling import at_vendor
from penstock.compile.held_back import holds_back
from penstock.compile.targets import CompileError
from penstock.config.document import Document, Floor
from penstock.config.policy_checks import claims, written_facts
from penstock.config.problem import child, suggestion
from penstock.core.plan import Plan, VirtualKey
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.providers.vendors.handling import DOCUMENTED
from penstock.routing.held import Denied, held, serves

_CHAT = ENDPOINTS["/v1/chat/completions"]


class Notice(msgspec.Struct, frozen=True):
    """One thing to look at; `path` is where it stands."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def review(document: Document, today: date) -> list[Notice]:
    """Everything that deserves a look, in the document's order."""
    return [
        *old_facts(document, today),
        *_unserved(document, today),
        *_buffered(document),
        *_unjudged(document),
        *_shared(document),
    ]


def old_facts(document: Document, today: date) -> Iterator[Notice]:
    """Facts whose verification is older than `defaults.facts_max_age`, or lies ahead."""
    oldest = today - timedelta(seconds=document.defaults.facts_max_age_s)
    for path, facts in written_facts(document):
        for at, each in (
            (path, facts),
            *((f"{path}.endpoints.{name}", e) for name, e in facts.endpoints.items()),
        ):
            said, verified = claims(each), each.verified or facts.verified
            if said and verified is not None:
                yield from _dated(at, ", ".join(said), verified, oldest, today)
    if _requires(document):
        yield from _old_rows(document, oldest, today)


def _dated(at: str, said: str, verified: date, oldest: date, today: date) -> Iterator[Notice]:
    if verified > today:
        yield Notice(at, f"{said}: verified on {verified}, which has not come yet; correct the date")
    elif verified < oldest:
        days = (today - verified).days
        what = f"{said}: verified on {verified}, {days} days ago"
        yield Notice(at, f"{what}; check whether it still holds, and write the day on which you did")


def _old_rows(document: Document, oldest: date, today: date) -> Iterator[Notice]:
    for name, provider in document.providers.items():
        if not at_vendor(provider):
            continue
        for row in DOCUMENTED:
            read = date.fromisoformat(row.provenance.verified)
            if provider.kind in row.kinds and read < oldest:
                days = (today - read).days
                what = f"what Penstock knows of {provider.kind} was read on {read}, {days} days ago"
                where = f"look at {row.provenance.url}, and write facts of your own"
                yield Notice(child("providers", name), f"{what}; {where}")
                break


def _requires(document: Document) -> bool:
    orgs = document.orgs.values()
    teams = [team for org in orgs for team in org.teams.values()]
    return any(each.require is not None for each in (*orgs, *teams, *document.routes.values(), *document.keys))


def _unserved(document: Document, today: date) -> Iterator[Notice]:
    if not _requires(document):
        return
    try:
        plan = dry_plan(document, _epoch_ms(today))
    except CompileError:
        return  # said by whoever compiles it with its secrets
    told: set[tuple[str, str]] = set()
    for name, route in plan.routes.items():
        for key in users_of(plan, name):
            at = (name, key.scope.id if key.scope is not None else "")
            if at in told or serves(route, key.scope):
                continue
            told.add(at)
            found = held(route, key.scope, _CHAT)
            why = found.message.partition(". ")[2].partition(". Ask")[0] if isinstance(found, Denied) else ""
            who = "/".join(part for part in (key.subject.org, key.subject.team, key.id) if part)
            yield Notice(child("routes", name), f"serves nothing to {who}: {why}")


def users_of(plan: Plan, route: str) -> list[VirtualKey]:
    """The keys that may name a route."""
    return [key for key in plan.keys.values() if key.routes is None or route in key.routes]


def _buffered(document: Document) -> Iterator[Notice]:
    """Routes that nobody gets a first token of before there is a whole answer."""
    for name, route in document.routes.items():
        if holds_back(route.policy):
            what = "answers are held back until one is accepted, so nothing is streamed before"
            yield Notice(child(child("routes", name), "policy"), f"{what} (cascade)")


def _unjudged(document: Document) -> Iterator[Notice]:
    """Floors under scores that nobody writes: they would never leave a target out."""
    for name, route in document.routes.items():
        judge = route.evals.judge if route.evals is not None else None
        if judge is not None and not _is_asked(document, judge):
            hint = suggestion(judge, {*document.routes, *document.deployments}) or "name a route"
            what = f"no route, deployment or provider/model is called {judge!r}, so nothing is judged"
            yield Notice(child(child(child("routes", name), "evals"), "judge"), f"{what}; {hint}")
        written = sources_of(route)
        for floor in floors_in(route.policy):
            if floor.score not in written:
                what = f"the floor goes by {floor.score!r}, which nothing writes"
                how = "let evals.judge write it (evals.score), or list it in evals.feedback and send it"
                yield Notice(child(child("routes", name), "policy"), f"{what}: {how} to /v1/feedback")


def _is_asked(document: Document, judge: str) -> bool:
    """Whether a judge is something that can be asked."""
    provider, _, model = judge.partition("/")
    if judge in document.routes or judge in document.deployments:
        return True
    return bool(model) and provider in document.providers


def floors_in(value: object) -> Iterator[Floor]:
    """The floors of a policy, wherever they stand in it."""
    if isinstance(value, Floor):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from floors_in(getattr(value, name))
    elif isinstance(value, tuple):
        for each in cast("tuple[object, ...]", value):
            yield from floors_in(each)


def _shared(document: Document) -> Iterator[Notice]:
    """Caches that keep nothing, and those over the borders of organisations."""
    for name, route in document.routes.items():
        require = route.require
        if route.cache is not None and require is not None and require.retention_days == 0:
            what = "nothing is kept, as the route requires that nothing is (retention_days: 0)"
            yield Notice(child(child("routes", name), "cache"), f"{what}; remove one of them")
        if route.cache is not None and route.cache.scope == "global":
            what = "answers made for one organisation are given to all others that ask the same"
            advice = "use scope: org unless nobody's data can be in them"
            yield Notice(child(child(child("routes", name), "cache"), "scope"), f"{what}; {advice}")


def _epoch_ms(day: date) -> int:
    return (day - date(1970, 1, 1)).days * 86_400_000
