"""What must agree in guards, and in the routes that use them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from penstock.config.access_checks import Found, is_metadata
from penstock.config.document import Document, Guard
from penstock.config.guard_kinds import COMMON, KINDS, SCHEMA, known_kinds, plugins
from penstock.config.problem import child, suggestion
from penstock.core.regex import PatternError, Patterns

_OPTIONS = (
    "entities", "patterns", "words", "min_chars", "max_chars", "languages", "allow", "deny", "url", "secret",
    "route", "question", "options",
)  # fmt: skip


def guard_problems(document: Document) -> Iterator[Found]:
    """Where, what is wrong, and how to mend it."""
    for name, guard in document.guards.items():
        yield from _guard(document, guard, child("guards", name))
    for name, route in document.routes.items():
        at = child(child("routes", name), "guards")
        for side in ("input", "output"):
            names: tuple[str, ...] = getattr(route.guards, side)
            for index, used in enumerate(names):
                where = child(child(at, side), index)
                guard = document.guards.get(used)
                if used in names[:index]:
                    yield where, f"{used!r} stands there twice", "name it once"
                elif guard is None and used == SCHEMA and side == "input":
                    yield where, f"`{SCHEMA}` looks at answers only", "move it to output"
                elif guard is not None:
                    yield from _use(guard, used, side, name, where)


def _use(guard: Guard, used: str, side: str, route: str, where: str) -> Iterator[Found]:
    kind = KINDS.get(guard.kind)
    if kind is not None and side not in kind.sides:
        (right,) = kind.sides
        yield where, f"{used!r} is of the kind {guard.kind}, which looks at {right} only", f"move it to {right}"
    if guard.to == route:
        yield where, f"{used!r} leads to this very route", "let it lead to another one"


def _guard(document: Document, guard: Guard, at: str) -> Iterator[Found]:
    kind = KINDS.get(guard.kind)
    if kind is None and guard.kind not in plugins():
        known = known_kinds()
        hint = suggestion(guard.kind, known) or f"known kinds: {', '.join(known)}"
        yield child(at, "kind"), f"no kind of guard is called {guard.kind!r}", hint
        return
    takes = kind.takes if kind is not None else frozenset({"options"})
    said = [name for name in _OPTIONS if getattr(guard, name) not in (None, (), {})]
    for name in said:
        if name not in takes:
            own = ", ".join(sorted(takes)) or f"only {', '.join(sorted(COMMON))}"
            yield child(at, name), f"has no effect with the kind {guard.kind}", f"it takes {own}"
    for either in kind.needs if kind is not None else ():
        if not any(name in said for name in either):
            yield at, f"the kind {guard.kind} needs {' or '.join(either)}", f"add {either[0]}"
    yield from _action(document, guard, at)
    yield from _values(document, guard, at)


def _action(document: Document, guard: Guard, at: str) -> Iterator[Found]:
    kind = KINDS.get(guard.kind)
    action = guard.action or (kind.action if kind is not None else "block")
    if action == "route":
        if guard.to is None:
            yield at, "the action route leads nowhere", "add to: and the name of a route"
        elif guard.to not in document.routes:
            hint = suggestion(guard.to, document.routes) or f"routes: {', '.join(document.routes) or 'none'}"
            yield child(at, "to"), f"no route is called {guard.to!r}", hint
    elif guard.to is not None:
        yield child(at, "to"), f"has no effect with the action {action}", "write action: route, or remove it"
    if guard.reversible and action != "redact":
        yield child(at, "reversible"), f"has no effect with the action {action}", "write action: redact"
    if guard.reversible and guard.kind in ("untrusted", "phrases", "unsafe_output"):
        yield child(at, "reversible"), f"the kind {guard.kind} is not put back", "remove it"
    if action == "redact" and guard.kind in ("length", "language", "judge", "groundedness", "moderation"):
        told = f"the kind {guard.kind} finds no spans to redact"
        yield child(at, "action"), told, "write block, warn, log or route"


def _values(document: Document, guard: Guard, at: str) -> Iterator[Found]:
    for index, pattern in enumerate(guard.patterns):
        try:
            Patterns([pattern])
        except PatternError as error:
            yield child(child(at, "patterns"), index), str(error), "RE2 has no lookaround"
    if guard.min_chars is not None and guard.max_chars is not None and guard.min_chars > guard.max_chars:
        yield child(at, "min_chars"), "is more than max_chars", "raise max_chars"
    if guard.url is not None and is_metadata(urlsplit(guard.url).hostname or ""):
        yield child(at, "url"), "the address of a cloud's metadata", "nothing is ever posted there"
    if guard.secret is not None and guard.url is None:
        yield child(at, "secret"), "signs nothing without url", "add url, or remove it"
    if guard.route is not None and "/" not in guard.route:
        known = {*document.routes, *document.deployments}
        if guard.route not in known:
            hint = suggestion(guard.route, known) or f"known: {', '.join(sorted(known)) or 'none'}"
            yield child(at, "route"), f"no route or deployment is called {guard.route!r}", hint
