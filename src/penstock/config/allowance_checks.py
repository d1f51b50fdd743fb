"""What must agree in limits and budgets."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from penstock.config.document import Budget, Document
from penstock.config.problem import child, suggestion
from penstock.core.budget import UnknownZoneError, zone

# Path, message, hint.
Found = tuple[str, str, str]


def allowance_problems(document: Document, routes: Collection[str]) -> Iterator[Found]:
    """What is wrong with the budgets of a document; `routes` are the names that stand in it."""
    for path, budget, budgets in _bounded(document):
        seen: set[tuple[str, str, bool]] = set()
        for at, each in _budgets(path, budget, budgets):
            try:
                zone(each.timezone)
            except UnknownZoneError:
                yield (
                    child(at, "timezone"),
                    f"no time zone {each.timezone!r}",
                    "write a name such as Europe/Berlin",
                )
            if each.downgrade is not None and each.downgrade.to not in routes:
                hint = suggestion(each.downgrade.to, routes) or "name one of routes"
                yield child(child(at, "downgrade"), "to"), f"no route {each.downgrade.to!r}", hint
            kind = (each.window, each.timezone, each.soft)
            if kind in seen:
                yield at, "stands beside another budget of the same window", "keep the tighter one"
            seen.add(kind)


def throttle_problems(document: Document, routes: Collection[str]) -> Iterator[Found]:
    """What is wrong with throttles, and with the actions that make some."""
    for name, org in document.orgs.items():
        for throttle, config in org.throttles.items():
            at = child(child(child("orgs", name), "throttles"), throttle)
            if (config.user is None) == (config.key is None):
                yield at, "binds a user or a key, one of them", "write user: or key:"
            yield from _downgrade(at, config.downgrade, routes)
    for name, action in document.alerts.actions.items():
        at = child(child("alerts", "actions"), name)
        if not action.kinds:
            yield child(at, "kinds"), "names no kind of alert", "write such as [user.outlier]"
        yield from _downgrade(at, action.downgrade, routes)


def _downgrade(at: str, route: str | None, routes: Collection[str]) -> Iterator[Found]:
    if route is not None and route not in routes:
        yield child(at, "downgrade"), f"no route {route!r}", suggestion(route, routes) or "name one of routes"


def _budgets(path: str, budget: Budget | None, budgets: tuple[Budget, ...]) -> Iterator[tuple[str, Budget]]:
    if budget is not None:
        yield child(path, "budget"), budget
    for index, each in enumerate(budgets):
        yield child(child(path, "budgets"), index), each


def _bounded(document: Document) -> Iterator[tuple[str, Budget | None, tuple[Budget, ...]]]:
    for name, org in document.orgs.items():
        path = child("orgs", name)
        yield path, org.budget, org.budgets
        for team, config in org.teams.items():
            yield child(child(path, "teams"), team), config.budget, config.budgets
        for user, allowed in org.users.items():
            yield child(child(path, "users"), user), allowed.budget, allowed.budgets
        for tag, values in org.tags.items():
            for value, allowed in values.items():
                yield child(child(child(path, "tags"), tag), value), allowed.budget, allowed.budgets
    for index, key in enumerate(document.keys):
        yield child("keys", index), key.budget, key.budgets
    for name, route in document.routes.items():
        yield child("routes", name), route.budget, route.budgets
    for name, deployment in document.deployments.items():
        yield child("deployments", name), deployment.budget, ()
