"""The application card of a route: everything that somebody who answers for it wants to know, on one page."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import msgspec

from penstock.compile.dry import dry_plan
from penstock.compile.review import users_of
from penstock.config import document as doc
from penstock.core.ids import OWN_MARK
from penstock.core.plan import Route, VirtualKey
from penstock.core.price_book import PriceBook
from penstock.core.requirements import ENDPOINTS, RULES, Facts, Handling, Need
from penstock.core.target import Target
from penstock.dialects.openai.endpoints import ENDPOINTS as SERVED
from penstock.routing.held import KEPT_DAYS, Denied, held, names_of, needs_of
from penstock.routing.trees import targets_of

_CHAT = SERVED["/v1/chat/completions"]
_NO_ORG = doc.Org()
Card = dict[str, Any]


def route_card(document: doc.Document, name: str, today: date, prices: PriceBook | None = None) -> Card:
    """The card as JSON values. Raises KeyError for an unknown route, CompileError where there is no Plan."""
    config = document.routes[name]
    now = datetime(today.year, today.month, today.day, tzinfo=UTC)
    plan = dry_plan(document, int(now.timestamp() * 1000), prices)
    route = plan.routes[name]
    keys = users_of(plan, name)
    oldest = today - timedelta(seconds=document.defaults.facts_max_age_s)
    return {
        "route": name,
        "purpose": config.purpose,
        "owner": config.owner,
        "made": today.isoformat(),
        "scope": {
            "keys": [_key(key) for key in keys],
            "tags_required": list(config.tags.required),
        },
        "policy": msgspec.to_builtins(config.policy),
        "targets": [_target(target, oldest.isoformat()) for target in _distinct(route)],
        "requirements": [_need(need) for need in _needs(route, keys)],
        "callers": [_caller(route, key) for key in _by_scope(keys)],
        "limits": _limits(document, config, keys),
        "guards": _said(config.guards),
        "evals": _said(config.evals),
        "success": list(config.success.all),
        "slo": _said(config.slo),
        "kept": _kept(document, config, route, keys),
    }


def _said(value: object) -> Any:
    """A part of the document without what is not set."""
    if value is None:
        return None
    plain = msgspec.to_builtins(value, enc_hook=doc.shown)
    return {key: each for key, each in plain.items() if each not in (None, [], (), {})}


def _key(key: VirtualKey) -> Card:
    subject = key.subject
    return {"key": key.id, "org": subject.org, "team": subject.team, "user": subject.user}


def _distinct(route: Route) -> list[Target]:
    return list({target.id: target for target in targets_of(route.policy)}.values())


def _target(target: Target, oldest: str) -> Card:
    handling = target.handling or Handling()
    names = names_of(target)
    facts = handling.at("chat", names)
    different = {
        endpoint: _facts(handling.at(endpoint, names), oldest)
        for endpoint in ENDPOINTS
        if endpoint in handling.by_endpoint and handling.at(endpoint, names) != facts
    }
    return {
        "target": target.id,
        "provider": target.provider,
        "kind": target.kind,
        "model": target.model,
        "address": f"{target.origin.scheme}://{target.origin.host}",
        "price_card": target.card.version if target.card is not None else None,
        "facts": _facts(facts, oldest),
        "endpoints": different,
        "parameters": [
            {
                "rule": lever.rule,
                "value": _plain(lever.value),
                "sets": {name: text.decode() for name, text in lever.settings.items()},
                "url": lever.provenance.url,
                "verified": lever.provenance.verified,
            }
            for lever in handling.levers
            if lever.fits("chat", names)
        ],
    }


def _facts(facts: Facts, oldest: str) -> Card:
    """Every fact with its source; None for what is not known."""
    found: Card = dict.fromkeys(RULES)
    for rule, value in facts.known():
        said = facts.said.get(rule)
        found[rule] = {
            "value": _plain(value),
            "source": said.source if said is not None else "",
            "verified": said.verified if said is not None else "",
            "url": said.url if said is not None else "",
            "old": bool(said is not None and said.verified and said.verified < oldest),
        }
    return found


def _plain(value: object) -> Any:
    return sorted(cast("frozenset[str]", value)) if isinstance(value, frozenset) else value


def _needs(route: Route, keys: Iterable[VirtualKey]) -> list[Need]:
    found = [need for key in keys for need in needs_of(route, key.scope)]
    found += needs_of(route, None)
    return list(dict.fromkeys(found))


def _need(need: Need) -> Card:
    required = need.requirement
    said = {
        name: _plain(getattr(required, name))
        for name in required.__dataclass_fields__
        if getattr(required, name) not in (None, (), frozenset())
    }
    return {"level": need.level, **{_written(name): value for name, value in said.items()}}


def _written(name: str) -> str:
    """A rule as it stands in the document: `allow_models` is `models.allow`."""
    what, _, of = name.partition("_")
    return f"{of}.{what}" if what in ("allow", "deny") else name


def _by_scope(keys: Iterable[VirtualKey]) -> list[VirtualKey]:
    """One key of each scope: the others are treated alike."""
    return list({key.scope.id if key.scope is not None else "": key for key in keys}.values())


def _caller(route: Route, key: VirtualKey) -> Card:
    """What the route leads this caller to, in chats."""
    found = held(route, key.scope, _CHAT)
    subject, scope = key.subject, key.scope
    alone = scope is not None and scope.id.count(OWN_MARK) > 1
    who = {
        "org": subject.org if scope is not None else "",
        "team": subject.team if scope is not None else "",
        "key": key.id if alone else "",
    }
    if isinstance(found, Denied):
        return {**who, "targets": [], "denied": found.message, "keeps_responses": False}
    return {
        **who,
        "targets": [{"target": each.id, "sets": _sets(each, route)} for each in targets_of(found.policy)],
        "denied": None,
        "own_credentials": sorted(scope.own) if scope is not None else [],
        "keeps_responses": found.keeps_responses,
    }


def _sets(target: Target, route: Route) -> dict[str, str]:
    """The parameters that the requirements add to what the deployment sets."""
    before = {names_of(each): each.set_fields for each in targets_of(route.policy)}.get(names_of(target), {})
    return {name: text.decode() for name, text in target.set_fields.items() if before.get(name) != text}


def _limits(document: doc.Document, config: doc.Route, keys: Iterable[VirtualKey]) -> Card:
    names = {key.id for key in keys}
    tenants = {(key.subject.org, key.subject.team) for key in keys}
    found: Card = {
        "route": {"limits": _said(config.limits), "budget": _said(config.budget)},
        "timeouts": _said(config.timeouts),
        "retry": _said(config.retry),
        "max_output_tokens": document.defaults.max_output_tokens,
        "keys": {
            key.name: {"limits": _said(key.limits), "budget": _said(key.budget)}
            for key in document.keys
            if key.name in names
        },
        "organisations": {},
        "teams": {},
    }
    for org, team in sorted(tenants):
        above = document.orgs.get(org, _NO_ORG)
        if org in document.orgs:
            found["organisations"][org] = {"limits": _said(above.limits), "budget": _said(above.budget)}
        if team in above.teams:
            each = above.teams[team]
            found["teams"][f"{org}/{team}"] = {"limits": _said(each.limits), "budget": _said(each.budget)}
    return found


def _kept(document: doc.Document, config: doc.Route, route: Route, keys: Iterable[VirtualKey]) -> list[Card]:
    """What is kept of a request on this route, and where."""
    days = document.journal.retention_s // 86_400
    strict = sorted(
        {
            f"{key.subject.org}/{key.subject.team}".rstrip("/")
            for key in keys
            if isinstance(found := held(route, key.scope, _CHAT), Route) and not found.keeps_responses
        }
    )
    if not route.keeps_responses:
        answers = "nothing: responses_store is off"
    else:
        answers = "answers of the Responses API, sealed; at the vendor where it has that API"
        answers += f"; nothing for {', '.join(strict)}" if strict else ""
    return [
        {
            "where": "journal",
            "what": "who asked what of whom, usage, cost, times; no prompts, no answers",
            "days": days,
        },
        {"where": "ledger", "what": "the same", "days": None},
        {"where": "responses", "what": answers, "days": KEPT_DAYS if route.keeps_responses else 0},
        {"where": "capture", "what": config.capture, "days": None if config.capture != "none" else 0},
        {
            "where": "cache",
            "what": "answers" if config.cache is not None else "nothing",
            "days": None if config.cache is not None else 0,
        },
        {"where": "vendors", "what": "what the facts of each target say", "days": None},
    ]
