"""Whose rules bind one exchange: key, user, team, organisation, route, tags, session and task, together."""

from __future__ import annotations

from typing import Final

from penstock.admission.accounts import Account, Accounts, Allowance
from penstock.admission.entry import told
from penstock.core.allowance import AccountRule, SessionRule
from penstock.core.errors import Refusal
from penstock.core.exchange import Subject
from penstock.core.plan import Plan, Route, Throttle, VirtualKey

_MAX_COMBINED: Final = 16_384


def allowance_for(
    accounts: Accounts,
    plan: Plan,
    key: VirtualKey,
    route: Route,
    subject: Subject,
    tags: dict[str, str],
    now_ms: int,
) -> Allowance:
    """The counters that this exchange must satisfy. Raises Refusal where a session has lasted too long."""
    base = accounts.combined.get((key.id, route.name))
    if base is None:
        base = _static(accounts, key, route)
        if len(accounts.combined) >= _MAX_COMBINED:
            accounts.combined.clear()
        accounts.combined[key.id, route.name] = base
    named: list[Account] = []
    if tags or subject.user != key.subject.user:
        named = _named(accounts, plan, key, route, subject, tags, now_ms)
    if plan.throttles:
        named += _throttled(accounts, plan, subject.org, subject.user, subject.key, now_ms)
    return Allowance([*named, *base.accounts]) if named else base


def key_allowance(accounts: Accounts, plan: Plan, key: VirtualKey, now_ms: int) -> Allowance:
    """The counters that bind a request of this key that is on no route.

    Who a key's locked tags say that it is for (a token's are of its user) is bound by their own rules, too.
    """
    found = [account for each in key.accounts if (account := accounts.find(each)) is not None]
    subject, user = key.subject, user_of(key)
    named = _told(accounts, plan, key, user, key.tags, now_ms)
    named += _throttled(accounts, plan, subject.org, user, subject.key, now_ms)
    return Allowance([*named, *found])


def throttles_of(plan: Plan, org: str, user: str, key: str, now_ms: int) -> list[Throttle]:
    """What binds this user and this key more tightly just now."""
    names = [f"{org}/key:{key}"] if key else []
    if user:
        names.append(f"{org}/user:{user}")
    return [each for name in names for each in plan.throttles.get(name, ()) if now_ms < each.until_ms]


def _throttled(accounts: Accounts, plan: Plan, org: str, user: str, key: str, now_ms: int) -> list[Account]:
    if not plan.throttles:
        return []
    found: list[Account] = []
    for each in throttles_of(plan, org, user, key, now_ms):
        account = accounts.find(each.account)
        if account is not None:
            found.append(account)
    return found


def user_of(key: VirtualKey) -> str:
    """The user of a key, or of the token that it is; empty where it is nobody's."""
    return key.subject.user or key.tags.get("user", "")


def _static(accounts: Accounts, key: VirtualKey, route: Route) -> Allowance:
    found: list[Account] = []
    for each in (*key.accounts, f"route:{route.name}"):
        account = accounts.find(each)
        if account is not None:
            found.append(account)
    return Allowance(found)


def _named(
    accounts: Accounts,
    plan: Plan,
    key: VirtualKey,
    route: Route,
    subject: Subject,
    tags: dict[str, str],
    now_ms: int,
) -> list[Account]:
    found = _told(accounts, plan, key, subject.user, tags, now_ms)
    ceiling = route.session or plan.session
    if ceiling.account is not None:
        for kind in ("session", "task"):
            value = tags.get(kind)
            if value is not None:
                name = f"{kind}:{subject.org}/{value}"
                found.append(_session(accounts, name, ceiling.account, ceiling, now_ms))
    return found


def _told(
    accounts: Accounts, plan: Plan, key: VirtualKey, user: str, tags: dict[str, str], now_ms: int
) -> list[Account]:
    """The accounts of a user and of tag values that are no part of the key."""
    org = key.subject.org
    found: list[Account] = []
    if user and user != key.subject.user and plan.users:
        rule = plan.users.get(f"{org}/{user}") or plan.users.get(f"{org}/*")
        if rule is not None:
            found.append(accounts.named(f"user:{org}/{user}", rule, now_ms))
    rules = plan.tag_rules.get(org)
    if rules is not None:
        for name, values in rules.items():
            value = tags.get(name)
            rule = (values.get(value) or values.get("*")) if value is not None else None
            if rule is not None:
                found.append(accounts.named(f"tag:{org}/{name}={value}", rule, now_ms))
    return found


def _session(accounts: Accounts, name: str, rule: AccountRule, ceiling: SessionRule, now_ms: int) -> Account:
    """The account of a session. Raises Refusal where it has lasted too long."""
    account = accounts.named(name, rule, now_ms)
    if ceiling.wall_s is not None and now_ms - account.began_ms > ceiling.wall_s * 1000:
        what = f"{told(name)} has lasted longer than {ceiling.wall_s:g} s; end it, or begin another one"
        raise Refusal("session_exhausted", what)
    return account
