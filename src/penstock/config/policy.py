"""The policy tree as the file writes it: a string is a target, a mapping with one key is any other node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from penstock.config import node as nodes
from penstock.config.conditions import ConditionReader
from penstock.config.document.cascade import Accept
from penstock.config.document.fields import LONGEST_TARGET, Name, Weight
from penstock.config.document.policy import (
    AbNode,
    Arm,
    CachedNode,
    CanaryNode,
    CascadeNode,
    CascadeStep,
    CheapestNode,
    EasyNode,
    FallbackNode,
    FastestNode,
    HedgeNode,
    LearnedNode,
    PolicyNode,
    StaticNode,
    StickyNode,
    TargetNode,
    WebhookNode,
    WeightedBranch,
    WeightedNode,
    WhenCase,
    WhenNode,
)
from penstock.config.held_back_checks import held_back_problems
from penstock.config.node import Node, Scalar, describe
from penstock.config.problem import child, suggestion
from penstock.config.reader import INVALID, Reader
from penstock.core.regex import PatternError, Patterns

# Nodes whose options are those of their types. Some may be a list alone, which is this option of theirs.
OPTIONS: dict[str, tuple[type, str]] = {
    "cheapest": (CheapestNode, "of"),
    "fastest": (FastestNode, "of"),
    "hedge": (HedgeNode, "of"),
    "sticky": (StickyNode, "of"),
    "ab": (AbNode, "arms"),
    "canary": (CanaryNode, ""),
    "easy": (EasyNode, ""),
    "webhook": (WebhookNode, ""),
    "cascade": (CascadeNode, "steps"),
    "learned": (LearnedNode, ""),
    "cached": (CachedNode, ""),
}
KINDS = ("fallback", "weighted", "static", "when", *OPTIONS)

_WEIGHT = msgspec.inspect.type_info(Weight)
_NAME = msgspec.inspect.type_info(Name)
_ACCEPT = msgspec.inspect.type_info(Accept)
_ARMS = 2


class PolicyReader:
    """Reads policies through a `Reader`, and keeps the targets with their places for later checks."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.targets: list[tuple[Node, str, str]] = []
        self.sets: list[tuple[str, dict[str, Any]]] = []
        self._conditions = ConditionReader(reader)
        reader.special |= {"branch": self._branch, "arm": self._arm, "step": self._step}
        reader.special["condition"] = self._conditions.read
        self._readers: dict[str, Callable[[nodes.Mapping, Node, str], Any]] = {
            "fallback": self._fallback,
            "weighted": self._weighted,
            "static": self._static,
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
        if node.entries.keys() == {"use", "set"}:
            return self._target_with(node, path)
        found = [key for key in node.entries if key in KINDS]
        allowed = {"when", "else"} if found == ["when"] else set(found)
        for key, entry in node.entries.items():
            if key not in allowed:
                hint = suggestion(key, KINDS) or f"policy nodes: {', '.join(KINDS)}"
                hint = "only weighted, sticky and ab have use and weight" if key in {"use", "weight"} else hint
                hint = "write {use: TARGET, set: { … }}" if key == "set" else hint
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
        return self._options(kind, entry.value, at)

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

    def _options(self, kind: str, value: Node, at: str) -> Any:
        """A node whose options are the fields of its type."""
        cls, listed = OPTIONS[kind]
        if isinstance(value, nodes.Sequence) and listed:
            entry = nodes.Entry(line=value.line, column=value.column, value=value)
            value = nodes.Mapping(line=value.line, column=value.column, entries={listed: entry})
        elif not isinstance(value, nodes.Mapping):
            hint = f"write {kind}: [ … ]" if listed else f"write {kind}: {{ … }}"
            return self.reader.problem(
                value, at, f"expected the options of {kind}, got {describe(value)}", hint
            )
        read = self.reader.read(value, msgspec.inspect.type_info(cls), at)
        if read is INVALID:
            return read
        if listed and not getattr(read, listed):
            empty = "expected a list of nodes, got an empty list"
            return INVALID if self.reader.problems else self.reader.problem(value, at, empty, "write [ … ]")
        return self._sensible(read, value, at)

    def _sensible(self, read: Any, value: Node, at: str) -> Any:
        """What is well formed and cannot be meant."""
        children = read.of if isinstance(read, CheapestNode | FastestNode) else ()
        for index, one in enumerate(children):
            if isinstance(one, StaticNode | WebhookNode | CachedNode):
                hint = "put it behind this node, in a fallback"
                self.reader.problem(value, child(child(at, "of"), index), "has neither price nor speed", hint)
        if isinstance(read, HedgeNode) and len(read.of) < _ARMS and not self.reader.problems:
            return self.reader.problem(value, child(at, "of"), "a hedge needs two nodes or more", "add one")
        if isinstance(read, AbNode):
            self._arms(read, value, at)
        if isinstance(read, EasyNode):
            self._rules(read, value, at)
        if isinstance(read, CascadeNode | LearnedNode) and not self.reader.problems:
            for where, message, hint in held_back_problems(read):
                self.reader.problem(value, f"{at}.{where}" if where else at, message, hint)
        return read

    def _arms(self, read: AbNode, value: Node, at: str) -> None:
        if len(read.arms) < _ARMS and not self.reader.problems:
            self.reader.problem(value, child(at, "arms"), "one arm alone is no comparison", "add one")
        names = [arm_name(arm.name, arm.use, index) for index, arm in enumerate(read.arms)]
        for index, name in enumerate(names):
            if name in names[:index]:
                where = child(child(at, "arms"), index)
                self.reader.problem(value, where, f"another arm is called {name!r}", "give it a name")

    def _rules(self, read: EasyNode, value: Node, at: str) -> None:
        for name in ("rules", "add"):
            for index, rule in enumerate(getattr(read, name) or ()):
                try:
                    Patterns([f"(?i){rule.pattern}"])
                except PatternError as error:
                    where = child(child(child(at, name), index), "pattern")
                    self.reader.problem(value, where, str(error), "RE2 has no lookaround")

    def _target_with(self, node: nodes.Mapping, path: str) -> Any:
        """A target with parameters of its own."""
        use = self.read(node.entries["use"].value, child(path, "use"))
        at = child(path, "set")
        value = node.entries["set"].value
        if not isinstance(value, nodes.Mapping):
            return self.reader.problem(value, at, f"expected a mapping, got {describe(value)}")
        self.reader.places[at] = (value.line, value.column)
        fields = self.reader.plain(value, at)
        if use is INVALID:
            return use
        if not isinstance(use, TargetNode):
            return self.reader.problem(node, at, "only a target has parameters", "put set at each target below")
        self.sets.append((at, fields))
        for key in value.entries:
            self.reader.places[child(at, key)] = (value.entries[key].line, value.entries[key].column)
        return TargetNode(target=use.target, set=fields)

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
        side = self._side(node, path, {"weight": _WEIGHT})
        return INVALID if INVALID in side.values() else WeightedBranch(**side)

    def _arm(self, node: Node, path: str) -> Any:
        side = self._side(node, path, {"weight": _WEIGHT, "name": _NAME})
        return INVALID if INVALID in side.values() else Arm(**side)

    def _step(self, node: Node, path: str) -> Any:
        side = self._side(node, path, {"accept": _ACCEPT})
        return INVALID if INVALID in side.values() else CascadeStep(**side)

    def _side(self, node: Node, path: str, options: dict[str, msgspec.inspect.Type]) -> dict[str, Any]:
        """One side of a choice: a node alone, or `use` with options; a target's `set` may stand beside them."""
        keys = {"use", *options}
        if not isinstance(node, nodes.Mapping) or not keys & node.entries.keys():
            return {"use": self.read(node, path)}
        side: dict[str, Any] = {}
        entries = dict(node.entries)
        if {"use", "set"} <= entries.keys():
            pair = {key: entries.pop(key) for key in ("use", "set")}
            target = nodes.Mapping(line=node.line, column=node.column, entries=pair)
            side["use"] = self._target_with(target, path)
        for key, entry in entries.items():
            at = child(path, key)
            if key == "use":
                side["use"] = self.read(entry.value, at)
            elif key in options:
                side[key] = self.reader.read(entry.value, options[key], at)
            else:
                self.reader.problem(entry, at, "unknown key", suggestion(key, (*keys, "set")))
        if "use" not in side:
            side["use"] = self.reader.problem(node, child(path, "use"), "is missing", "it is required here")
        return side

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
        read = self._conditions.read(condition, child(path, "if"))
        return INVALID if INVALID in (use, read) else WhenCase(condition=read, use=use)


def arm_name(name: str | None, use: PolicyNode, index: int) -> str:
    """An arm's name in the ledger: its own, else its target's, else its number."""
    return name or (use.target if isinstance(use, TargetNode) else f"arm-{index + 1}")
