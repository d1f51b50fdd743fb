"""What the document type takes but this version has no engine for; who builds one deletes its lines.

A key that is accepted and has no effect would be worse than an error: somebody would rely on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from penstock.config import node as nodes
from penstock.config.node import Node, Scalar
from penstock.config.problem import Problem, child
from penstock.config.values import BadValueError, expand

Step = str | int
Environment = Mapping[str, str]


class Need(msgspec.Struct, frozen=True):
    """A place in the document and what it needs.

    In `path`, `*` stands for any one key or list item and `**` for any number of them. Values in `unless` are
    fine as they are, `[]` meaning an empty list. With `among`, all other values are somebody else's to report.
    `instead` overrides the advice to remove the key.
    """

    path: str
    what: str
    unless: tuple[str, ...] = ()
    instead: str = ""
    among: tuple[str, ...] = ()


# Kinds of guards that are designed and not built.
LATER = (
    "language", "presidio",
)  # fmt: skip
NEEDS: tuple[Need, ...] = (
    Need(
        "guards.*.kind",
        "another detector",
        among=LATER,
        instead="use another kind",
    ),
    Need("routes.*.slo", "objectives for latency"),
    Need(
        "routes.*.success.all.*",
        "another quality gate",
        unless=("not_error", "finish", "schema", "not_blocked"),
        instead="use not_error, finish, schema or not_blocked",
    ),
    Need("routes.*.capture", "payload capture", unless=("none",), instead="write none"),
)


def unmet(root: Node, env: Environment, needs: tuple[Need, ...] = NEEDS) -> list[Problem]:
    """A problem for each key of the file that needs an engine which this version does not have."""
    return list(_walk(root, (), "", [(need, tuple(need.path.split("."))) for need in needs], env))


def _walk(
    node: Node,
    steps: tuple[Step, ...],
    path: str,
    needs: list[tuple[Need, tuple[str, ...]]],
    env: Environment,
) -> Iterator[Problem]:
    for step, value, line, column in _children(node):
        here = (*steps, step)
        at = child(path, step)
        need = next((need for need, pattern in needs if _matches(pattern, here)), None)
        if need is None or _is_fine(value, need, env):
            yield from _walk(value, here, at, needs, env)
            continue
        message = f"needs {need.what}, which this version does not have yet"
        yield Problem(path=at, line=line, column=column, message=message, hint=need.instead or "remove the key")


def _children(node: Node) -> Iterator[tuple[Step, Node, int, int]]:
    if isinstance(node, nodes.Mapping):
        for key, entry in node.entries.items():
            yield key, entry.value, entry.line, entry.column
    elif isinstance(node, nodes.Sequence):
        for index, item in enumerate(node.items):
            yield index, item, item.line, item.column


def _is_fine(value: Node, need: Need, env: Environment) -> bool:
    if isinstance(value, Scalar):
        try:
            text = expand(value.text, env)
        except BadValueError:
            return True  # the reader reports it
        return text in need.unless or bool(need.among and text not in need.among)
    return isinstance(value, nodes.Sequence) and not value.items and "[]" in need.unless


def _matches(pattern: tuple[str, ...], steps: tuple[Step, ...]) -> bool:
    if not pattern:
        return not steps
    if pattern[0] == "**":
        return any(_matches(pattern[1:], steps[index:]) for index in range(len(steps) + 1))
    return bool(steps) and pattern[0] in {"*", steps[0]} and _matches(pattern[1:], steps[1:])
