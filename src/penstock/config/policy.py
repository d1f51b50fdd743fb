"""The policy tree as the file writes it: a string is a target, a mapping with one key is any other node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast, get_args

import msgspec

from penstock.config import node as nodes
from penstock.config.document.fields import LONGEST_TARGET, Weight
from penstock.config.document.policy import (
    CheapestNode,
    FallbackNode,
    FastestNode,
    HedgeNode,
    LaterKind,
    LaterNode,
    PolicyNode,
    StaticNode,
    TargetNode,
    WeightedBranch,
    WeightedNode,
    WhenCase,
    WhenNode,
)
from penstock.config.node import Node, Scalar, describe
from penstock.config.problem import child, suggestion
from penstock.config.reader import INVALID, Reader

LATER_KINDS: tuple[str, ...] = get_args(LaterKind)
KINDS = ("fallback", "weighted", "static", "cheapest", "fastest", "hedge", "when", *LATER_KINDS)

_WEIGHT = msgspec.inspect.type_info(Weight)
_HEDGE = {
    field.name: field.type
    for field in cast("msgspec.inspect.StructType", msgspec.inspect.type_info(HedgeNode)).fields
    if field.name != "of"
}


class PolicyReader:
    """Reads policies through a `Reader`, and keeps the targets with their places for later checks."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.targets: list[tuple[Node, str, str]] = []
        self._readers: dict[str, Callable[[nodes.Mapping, Node, str], Any]] = {
            "fallback": self._fallback,
            "weighted": self._weighted,
            "static": self._static,
            "cheapest": self._cheapest,
            "fastest": self._fastest,
            "hedge": self._hedge,
            "when": self._when,
        }

    def read(self, node: Node, path: str) -> Any:
        """The policy node, or INVALID."""
        if isinstance(node, nodes.Mapping):
            return self._mapping(node, path)
        if isinstance(node, nodes.Sequence):
            return self.reader.problem(node, path, "a list alone is no policy", "write fallback: [ … ]")
        if node.kind == "null":
            return self.reader.problem(node, path, "has no value", "name a target, or write fallback: [ … ]")
        target = self.reader.string(node, path)
        if target is None:
            return INVALID
        if not target:
            return self.reader.problem(node, path, "an empty target", "name a deployment, or provider/model")
        if len(target) > LONGEST_TARGET:
            return self.reader.problem(node, path, f"a target longer than {LONGEST_TARGET} characters")
        self.targets.append((node, path, target))
        return TargetNode(target=target)

    def _mapping(self, node: nodes.Mapping, path: str) -> Any:
        found = [key for key in node.entries if key in KINDS]
        allowed = {"when", "else"} if found == ["when"] else set(found)
        for key, entry in node.entries.items():
            if key not in allowed:
                hint = suggestion(key, KINDS) or f"policy nodes: {', '.join(KINDS)}"
                hint = "only weighted has use and weight" if key in {"use", "weight"} else hint
                self.reader.problem(entry, child(path, key), "unknown policy node", hint)
        if not found:
            if not node.entries:
                self.reader.problem(node, path, "an empty policy", "name a target, or write fallback: [ … ]")
            return INVALID
        if len(found) > 1:
            hint = f"it has {' and '.join(found)}; nest one in the other"
            return self.reader.problem(node, path, "a policy node has one key", hint)
        kind = found[0]
        entry = node.entries[kind]
        at = child(path, kind)
        self.reader.places[at] = (entry.line, entry.column)
        if kind in self._readers:
            return self._readers[kind](node, entry.value, at)
        return msgspec.convert(
            {"node": "later", "kind": kind, "options": self.reader.plain(entry.value, at)}, LaterNode
        )

    def _children(self, value: Node, at: str) -> tuple[PolicyNode, ...]:
        """The nodes of a list that could be read; empty after a problem with the list itself."""
        if not isinstance(value, nodes.Sequence) or not value.items:
            got = "an empty list" if isinstance(value, nodes.Sequence) else describe(value)
            self.reader.problem(value, at, f"expected a list of nodes, got {got}", "write [ … ]")
            return ()
        read = [self.read(item, child(at, index)) for index, item in enumerate(value.items)]
        return tuple(one for one in read if one is not INVALID)

    def _fallback(self, _: nodes.Mapping, value: Node, at: str) -> Any:
        children = self._children(value, at)
        for index, one in enumerate(children[:-1]):
            if isinstance(one, StaticNode):
                self.reader.problem(
                    value, child(at, index), "what follows a static answer is never tried", "put static last"
                )
        return FallbackNode(children=children) if children else INVALID

    def _cheapest(self, _: nodes.Mapping, value: Node, at: str) -> Any:
        children = self._children(value, at)
        return CheapestNode(children=children) if children else INVALID

    def _fastest(self, _: nodes.Mapping, value: Node, at: str) -> Any:
        children = self._children(value, at)
        return FastestNode(children=children) if children else INVALID

    def _hedge(self, _: nodes.Mapping, value: Node, at: str) -> Any:
        hint = "write {of: [first, second], after: p95, max_percent: 5}"
        if not isinstance(value, nodes.Mapping) or "of" not in value.entries:
            return self.reader.problem(value, at, f"expected a hedge, got {describe(value)}", hint)
        options: dict[str, Any] = {}
        for key, entry in value.entries.items():
            here = child(at, key)
            if key == "of":
                options["of"] = self._children(entry.value, here)
            elif key in _HEDGE:
                options[key] = self.reader.read(entry.value, _HEDGE[key], here)
            else:
                self.reader.problem(entry, here, "unknown key", suggestion(key, ("of", *_HEDGE)))
        if len(options["of"]) == 1:
            return self.reader.problem(value, child(at, "of"), "a hedge needs two nodes or more", hint)
        if INVALID in options.values() or not options["of"]:
            return INVALID
        return HedgeNode(**options)

    def _static(self, _: nodes.Mapping, value: Node, at: str) -> Any:
        text = self.reader.string(value, at)
        if text is None:
            return INVALID
        return StaticNode(text=text) if text else self.reader.problem(value, at, "an empty answer")

    def _weighted(self, _: nodes.Mapping, value: Node, at: str) -> Any:
        if not isinstance(value, nodes.Sequence) or not value.items:
            hint = "write [{use: …, weight: 9}, {use: …, weight: 1}]"
            return self.reader.problem(value, at, "expected a list of branches", hint)
        read = [self._branch(item, child(at, index)) for index, item in enumerate(value.items)]
        branches = tuple(one for one in read if one is not INVALID)
        return WeightedNode(branches=branches) if branches else INVALID

    def _branch(self, node: Node, path: str) -> Any:
        if not isinstance(node, nodes.Mapping) or not {"use", "weight"} & node.entries.keys():
            use = self.read(node, path)
            return INVALID if use is INVALID else WeightedBranch(use=use)
        use: Any = INVALID
        weight: Any = 1.0
        for key, entry in node.entries.items():
            at = child(path, key)
            if key == "use":
                use = self.read(entry.value, at)
            elif key == "weight":
                weight = self.reader.read(entry.value, _WEIGHT, at)
            else:
                self.reader.problem(entry, at, "unknown key", suggestion(key, ("use", "weight")))
        if "use" not in node.entries:
            self.reader.problem(node, child(path, "use"), "is missing", "it is required here")
        return INVALID if use is INVALID or weight is INVALID else WeightedBranch(use=use, weight=weight)

    def _when(self, node: nodes.Mapping, value: Node, at: str) -> Any:
        path = at.removesuffix("when").removesuffix(".")
        otherwise: Any = INVALID
        if "else" in node.entries:
            otherwise = self.read(node.entries["else"].value, child(path, "else"))
        else:
            self.reader.problem(node, child(path, "else"), "is missing", "say what is used when no case holds")
        if not isinstance(value, nodes.Sequence) or not value.items:
            return self.reader.problem(value, at, "expected a list of cases", "write [{if: { … }, use: …}]")
        read = [self._case(item, child(at, index)) for index, item in enumerate(value.items)]
        cases = tuple(one for one in read if one is not INVALID)
        return INVALID if otherwise is INVALID or not cases else WhenNode(cases=cases, otherwise=otherwise)

    def _case(self, node: Node, path: str) -> Any:
        if isinstance(node, Scalar | nodes.Sequence) or not {"if", "use"} <= node.entries.keys():
            return self.reader.problem(node, path, "expected a case", "write {if: { … }, use: …}")
        for key in node.entries.keys() - {"if", "use"}:
            self.reader.problem(
                node.entries[key], child(path, key), "unknown key", suggestion(key, ("if", "use"))
            )
        condition = node.entries["if"].value
        use = self.read(node.entries["use"].value, child(path, "use"))
        if not isinstance(condition, nodes.Mapping):
            return self.reader.problem(
                condition, child(path, "if"), f"expected a mapping, got {describe(condition)}"
            )
        read = self.reader.plain(condition, child(path, "if"))
        return INVALID if use is INVALID else WhenCase(condition=read, use=use)
