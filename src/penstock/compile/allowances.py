"""Limits, budgets and ceilings of a document as the rules of accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from penstock.compile.evals import budget_of
from penstock.config import document as doc
from penstock.core.allowance import WINDOW_S, AccountRule, BudgetRule, RateRule, SessionRule
from penstock.core.exchange import Subject
from penstock.core.plan import Throttle

EACH = "*"


class Bounded(Protocol):
    """What has limits and budgets."""

    @property
    def limits(self) -> doc.Limits:
        """How much at a time."""
        ...

    @property
    def budget(self) -> doc.Budget | None:
        """How much money."""
        ...

    @property
    def budgets(self) -> tuple[doc.Budget, ...]:
        """More of them."""
        ...


@dataclass
class Rules:
    """The rules of a document's accounts, as the Plan holds them; `throttles` by whom they bind."""

    accounts: dict[str, AccountRule] = field(default_factory=dict[str, AccountRule])
    users: dict[str, AccountRule] = field(default_factory=dict[str, AccountRule])
    tags: dict[str, dict[str, dict[str, AccountRule]]] = field(
        default_factory=dict[str, dict[str, dict[str, AccountRule]]]
    )

    throttles: dict[str, tuple[Throttle, ...]] = field(default_factory=dict[str, tuple[Throttle, ...]])

    def throttle(self, org: str, name: str, config: doc.Throttle) -> None:
        """Bind a user or a key for a while."""
        account = f"throttle:{org}/{name}"
        rule = rule_of(account, config.limits, None, ()) or AccountRule(account)
        if config.downgrade is not None:
            # A sum that is spent from the beginning, and refuses nothing.
            spent = BudgetRule(0, "total", hard=False, downgrade_to=config.downgrade, downgrade_at=0.0)
            rule = replace(rule, budgets=(spent,))
        self.accounts[account] = rule
        whom = f"{org}/user:{config.user}" if config.user is not None else f"{org}/key:{config.key}"
        made = Throttle(name, account, config.until, config.why or "", config.downgrade or "")
        self.throttles[whom] = (*self.throttles.get(whom, ()), made)

    def add(self, account: str, bounded: Bounded) -> None:
        """Bind an account, if anything does."""
        rule = rule_of(account, bounded.limits, bounded.budget, bounded.budgets)
        if rule is not None:
            self.accounts[account] = rule

    def accounts_of(self, subject: Subject) -> tuple[str, ...]:
        """Whose rules bind a key of this subject, by their ids."""
        org = subject.org
        names = [f"key:{subject.key}"]
        if subject.user:
            user = f"user:{org}/{subject.user}"
            rule = self.users.get(f"{org}/{subject.user}") or self.users.get(f"{org}/{EACH}")
            if rule is not None and user not in self.accounts:
                self.accounts[user] = replace(rule, id=user)
            names.append(user)
        if subject.team:
            names.append(f"team:{org}/{subject.team}")
        names.append(f"org:{org}")
        return tuple(name for name in names if name in self.accounts)


def rules_of(document: doc.Document) -> Rules:
    """The rules of everything that the document names."""
    rules = Rules()
    for name, org in document.orgs.items():
        _add_org(rules, name, org)
    for key in document.keys:
        rules.add(f"key:{key.name}", key)
    for name, route in document.routes.items():
        rules.add(f"route:{name}", route)
        judging = budget_of(name, route)
        if judging is not None:
            rules.accounts[judging.id] = judging
    for name, deployment in document.deployments.items():
        rule = rule_of(f"deployment:{name}", deployment.limits, deployment.budget, ())
        if rule is not None:
            queue = deployment.queue
            rules.accounts[rule.id] = replace(rule, queue_size=queue.size, queue_wait_s=queue.wait_s)
    return rules


def weights_of(document: doc.Document) -> dict[str, float]:
    """The weights of organisations and users in queues, where they are not 1, by the ids of their accounts."""
    weights = {f"org:{name}": org.weight for name, org in document.orgs.items()}
    for name, org in document.orgs.items():
        weights |= {f"user:{name}/{user}": allowed.weight for user, allowed in org.users.items()}
    return {account: weight for account, weight in weights.items() if weight != 1}


def _add_org(rules: Rules, name: str, org: doc.Org) -> None:
    rules.add(f"org:{name}", org)
    for team, config in org.teams.items():
        rules.add(f"team:{name}/{team}", config)
    for user, rule in _each(org.users):
        rules.users[f"{name}/{user}"] = rule
    for throttle, config in org.throttles.items():
        rules.throttle(name, throttle, config)
    for tag, values in org.tags.items():
        for value, rule in _each(values):
            rules.tags.setdefault(name, {}).setdefault(tag, {})[value] = rule


def _each(values: Mapping[str, doc.Allowed] | Mapping[str, doc.User]) -> Iterator[tuple[str, AccountRule]]:
    for value, allowed in values.items():
        rule = rule_of("", allowed.limits, allowed.budget, allowed.budgets)
        if rule is not None:
            yield value, rule


def rule_of(
    account: str, limits: doc.Limits, budget: doc.Budget | None, budgets: tuple[doc.Budget, ...]
) -> AccountRule | None:
    """The rule of one account, None where nothing binds it."""
    away = _opens(limits.on_accounts_away)
    rates: list[RateRule] = []
    if limits.rpm is not None:
        rates.append(RateRule("requests", WINDOW_S["minute"], limits.rpm, away))
    if limits.tpm is not None:
        rates.append(RateRule("tokens", WINDOW_S["minute"], limits.tpm, away))
    for rate in limits.rates:
        own = _opens(rate.on_accounts_away)
        rates.append(RateRule(rate.unit, WINDOW_S[rate.per], rate.limit, away if own is None else own))
    every = (budget, *budgets) if budget is not None else budgets
    rule = AccountRule(
        account,
        tuple(rates),
        limits.concurrency,
        tuple(_budget(each) for each in every),
        fail_open=away if limits.concurrency is not None else None,
    )
    return rule if rule != AccountRule(account) else None


def _opens(away: str | None) -> bool | None:
    return None if away is None else away == "fail_open"


def _budget(budget: doc.Budget) -> BudgetRule:
    down = budget.downgrade
    return BudgetRule(
        budget.nanousd,
        budget.window,
        budget.timezone,
        hard=not budget.soft,
        downgrade_to=down.to if down is not None else "",
        downgrade_at=down.at if down is not None else 1.0,
        fail_open=budget.on_accounts_away == "fail_open",
    )


def session_of(ceiling: doc.SessionCeiling) -> SessionRule:
    """The ceilings of one session."""
    budgets = (BudgetRule(doc.nanousd(ceiling.usd), "total"),) if ceiling.usd is not None else ()
    account = AccountRule("", budgets=budgets, requests=ceiling.requests)
    bound = account != AccountRule("") or ceiling.wall_s is not None
    return SessionRule(account if bound else None, ceiling.depth, ceiling.wall_s)
