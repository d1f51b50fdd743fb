"""Webhooks and budgets as the worker needs them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from penstock.compile.dry import dry_plan
from penstock.compile.plan import DEFAULT_ORG
from penstock.compile.proxies import proxy_for
from penstock.compile.targets import CompileError
from penstock.config.access_checks import is_metadata
from penstock.config.document import AlertWebhook, Budget, Document, Limits, Secret, SecretError
from penstock.core.accounts import EARLIER
from penstock.core.alert_actions import Action, courier_name
from penstock.core.alerts import Webhook
from penstock.core.budget import window_bounds
from penstock.core.budget_alerts import THRESHOLDS, BudgetState
from penstock.routing.held import names_of
from penstock.routing.trees import targets_of

_SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with by the standard
_LEAST_KEY, _MOST_KEY = 24, 64


def webhooks_of(document: Document, env: Mapping[str, str]) -> tuple[Webhook, ...]:
    """The webhooks, ready for use. Raises CompileError, which names the key at fault."""
    ca_file = document.server.ca_file or ""
    return tuple(_webhook(name, config, env, ca_file) for name, config in document.alerts.webhooks.items())


def targets_by_route(document: Document, now_ms: int) -> dict[str, frozenset[str]]:
    """The names of all models that each route leads to; none where the document cannot be compiled."""
    try:
        plan = dry_plan(document, now_ms)
    except CompileError:
        return {}
    return {
        name: frozenset(each for target in targets_of(route.policy) for each in names_of(target))
        for name, route in plan.routes.items()
    }


def actions_of(document: Document) -> tuple[Action, ...]:
    """What is done about alerts."""
    return tuple(
        Action(
            name,
            Webhook(courier_name(name), "", (), config.kinds, config.min_severity, config.orgs),
            config.for_s * 1000,
            _said(config.limits),
            config.downgrade or "",
        )
        for name, config in document.alerts.actions.items()
    )


def _said(limits: Limits) -> dict[str, Any]:
    """Limits as a configuration writes them, without what is not said."""
    plain: dict[str, Any] = msgspec.to_builtins(limits)
    return {name: value for name, value in plain.items() if value not in (None, [], ())}


def has_budgets(document: Document) -> bool:
    """Whether anything in a document has a budget."""
    return any(budgets for _, _, budgets in _owners(document))


def budgets_of(document: Document, spent: Mapping[str, Mapping[int, int]], now_ms: int) -> list[BudgetState]:
    """Each budget of a document in its window; `spent` by account and slot (core.accounts).

    A budget for each other user or tag value (`*`) is that of every such account that has spent anything.
    """
    found: list[BudgetState] = []
    named = {account for account, _, _ in _owners(document)}
    for pattern, org, budgets in _owners(document):
        accounts = [pattern]
        if pattern.endswith("*"):
            accounts = [each for each in sorted(spent) if each.startswith(pattern[:-1]) and each not in named]
        found += [
            _state(account, org, budget, spent.get(account, {}), now_ms)
            for account in accounts
            for budget in budgets
        ]
    return found


def _owners(document: Document) -> Iterator[tuple[str, str, tuple[Budget, ...]]]:
    """Everything that may have budgets: its account, whose it is, and what it has."""
    for name, org in document.orgs.items():
        yield f"org:{name}", name, _every(org.budget, org.budgets)
        for team, config in org.teams.items():
            yield f"team:{name}/{team}", name, _every(config.budget, config.budgets)
        for user, config in org.users.items():
            yield f"user:{name}/{user}", name, _every(config.budget, config.budgets)
        for tag, values in org.tags.items():
            for value, config in values.items():
                yield f"tag:{name}/{tag}={value}", name, _every(config.budget, config.budgets)
    for key in document.keys:
        yield f"key:{key.name}", key.org or DEFAULT_ORG, _every(key.budget, key.budgets)
    for name, route in document.routes.items():
        yield f"route:{name}", "", _every(route.budget, route.budgets)
    for name, deployment in document.deployments.items():
        yield f"deployment:{name}", "", _every(deployment.budget, ())


def _every(budget: Budget | None, more: tuple[Budget, ...]) -> tuple[Budget, ...]:
    return (budget, *more) if budget is not None else more


def _state(account: str, org: str, budget: Budget, spent: Mapping[int, int], now_ms: int) -> BudgetState:
    start_ms, end_ms = window_bounds(budget.window, now_ms, budget.timezone)
    return BudgetState(
        account=account,
        org=org,
        limit_nanousd=budget.nanousd,
        start_ms=start_ms,
        end_ms=end_ms,
        spent={slot: amount for slot, amount in spent.items() if slot != EARLIER},
        thresholds=budget.alerts or THRESHOLDS,
        earlier_nanousd=spent.get(EARLIER, 0) if budget.window == "total" else 0,
        window=budget.window,
    )


def _webhook(name: str, config: AlertWebhook, env: Mapping[str, str], ca_file: str) -> Webhook:
    at = f"alerts.webhooks.{name}"
    url = _resolved(config.url, env, f"{at}.url")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None or not url.isascii():
        raise CompileError(f"{at}.url: not a URL; write https://… without a user name")
    if is_metadata(host):
        raise CompileError(f"{at}.url: the address of a cloud's metadata, which alerts are never posted to")
    keys = [_key(config.secret, env, f"{at}.secret")]
    if config.previous_secret is not None:
        keys.append(_key(config.previous_secret, env, f"{at}.previous_secret"))
    return Webhook(
        name=name,
        url=url,
        keys=tuple(keys),
        kinds=config.kinds,
        min_severity=config.min_severity,
        orgs=config.orgs,
        ca_file=ca_file,
        proxy=proxy_for(env, parts.scheme, host),
    )


def _key(secret: Secret, env: Mapping[str, str], at: str) -> bytes:
    text = _resolved(secret, env, at)
    try:
        key = base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not text.startswith(_SECRET_PREFIX) or not _LEAST_KEY <= len(key) <= _MOST_KEY:
        raise CompileError(
            f"{at}: write whsec_ and 24 to 64 random bytes in base64, as `openssl rand -base64 32` gives them"
        )
    return key


def _resolved(secret: Secret, env: Mapping[str, str], at: str) -> str:
    try:
        return secret.resolve(env)
    except SecretError as error:
        raise CompileError(f"{at}: {error}") from None
