"""What must agree in nodes that hold answers back or ask a model: `cascade` and `learned`."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, cast

import msgspec

from penstock.config.document.document import Document
from penstock.config.document.policy import Accept, CascadeNode, LearnedNode
from penstock.config.problem import child, suggestion
from penstock.core.regex import PatternError, Patterns

Found = tuple[str, str, str]
RULES = ("strong_percent", "recover", "threshold", "worth_usd")


def parts(value: Any) -> Iterator[Any]:
    """A part of a document and every struct in it."""
    if isinstance(value, msgspec.Struct):
        yield value
        for name in value.__struct_fields__:
            yield from parts(getattr(value, name))
    elif isinstance(value, tuple):
        for each in cast("tuple[Any, ...]", value):
            yield from parts(each)
    elif isinstance(value, dict):
        for each in cast("dict[Any, Any]", value).values():
            yield from parts(each)


def judge_problems(document: Document, known: Collection[str]) -> Iterator[Found]:
    """Judges that are none of the routes and deployments in `known`, or that would judge themselves."""
    for name, route in document.routes.items():
        at = child(child("routes", name), "policy")
        for accept in parts(route.policy):
            judge = accept.judge if isinstance(accept, Accept) else None
            if judge is None:
                continue
            if judge.route == name:
                yield at, f"{name!r} is its own judge", "name another route, or a deployment"
            elif judge.route not in known:
                hint = suggestion(judge.route, known) or "name a route or a deployment of this file"
                yield at, f"no route {judge.route!r} for a judge", hint


def held_back_problems(node: CascadeNode | LearnedNode) -> Iterator[Found]:
    """Where (below the node), what, and how to mend it."""
    yield from _cascade(node) if isinstance(node, CascadeNode) else _learned(node)


def _cascade(node: CascadeNode) -> Iterator[Found]:
    if len(node.steps) < 2:
        yield "steps", "one step alone is no cascade", "add a dearer one, or write the target by itself"
    for index, step in enumerate(node.steps):
        last = index == len(node.steps) - 1
        at = f"steps[{index}].accept"
        if last and step.accept is not None:
            yield at, "nothing comes after the last step, so its answer is taken", "remove accept"
        if not last and step.accept is None:
            yield at, "is missing", "say when the answer is good enough, such as {logprob: {mean: -0.1}}"
        if step.accept is not None and not last:
            yield from _accept(step.accept, at)


def _accept(accept: Accept, at: str) -> Iterator[Found]:
    if accept == Accept(deadline_s=accept.deadline_s, on_error=accept.on_error):
        yield at, "asks for nothing", "name at least one check, such as schema or logprob"
    if accept.logprob is not None and accept.logprob.mean is None and accept.logprob.min is None:
        yield f"{at}.logprob", "bounds nothing", "write {mean: -0.1}, or {min: -2}"
    if accept.regex is not None:
        try:
            Patterns([accept.regex])
        except PatternError as error:
            yield f"{at}.regex", str(error), "RE2 has no lookaround"


def _learned(node: LearnedNode) -> Iterator[Found]:
    names = tuple(node.targets) or ("cheap", "strong")
    pair = node.cheap is not None, node.strong is not None
    if node.targets and any(pair):
        yield "targets", "stands beside cheap or strong", "write either cheap and strong, or targets"
    elif not node.targets and not all(pair):
        yield "", "has no two nodes to choose between", "write cheap and strong, or targets"
    elif node.targets and len(node.targets) < 2:
        yield "targets", "one target alone is no choice", "add another"
    if node.default not in names:
        yield "default", f"{node.default!r} is none of its nodes", f"write one of {', '.join(names)}"
    said = [rule for rule in RULES if getattr(node, rule) is not None]
    if len(said) != 1:
        what = f"it has {' and '.join(said)}" if said else "nothing says when the stronger one is worth it"
        yield "", what, f"write one of {', '.join(RULES)}"
