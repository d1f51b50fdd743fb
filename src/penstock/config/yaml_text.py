"""Strict YAML 1.2 text to nodes: the only module that knows ruamel.yaml, never imported by the gateway.

It builds from the parser's events and not from its constructors, so that nothing is resolved behind our
back: no YAML 1.1 booleans or base-60 numbers, no dates, no tags, no merge keys, no second document, no
silent last-one-wins for a key that stands twice, and no alias that unfolds into more than a bounded tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)
from ruamel.yaml.reader import ReaderError

from penstock.config.node import Entry, Mapping, Node, Scalar, Sequence
from penstock.config.problem import ConfigError, Problem, child, shorten

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 100_000


def parse_yaml(text: str, source: str) -> tuple[Node | None, list[Problem]]:
    """The document's root and what is questionable in it; None for an empty document.

    Raises:
        ConfigError: the text is no YAML 1.2 at all, or larger or deeper than any configuration is.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ConfigError(source, [_file_problem(f"larger than {MAX_BYTES} bytes")])
    return _Builder(source).build(text)


def _file_problem(message: str) -> Problem:
    return Problem(path="", line=0, column=0, message=message)


def _events(text: str, source: str) -> Iterator[Any]:
    parser = YAML(typ="safe", pure=True)
    parser.version = "1.2"  # pyright: ignore[reportAttributeAccessIssue]
    try:
        yield from cast("Iterator[Any]", parser.parse(text))  # pyright: ignore[reportUnknownMemberType]
    except MarkedYAMLError as error:
        raise ConfigError(source, [_syntax_problem(error)]) from None
    except ReaderError as error:
        before = text[: cast("Any", error).position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        problem = Problem(path="", line=line, column=column, message="a character that YAML does not allow")
        raise ConfigError(source, [problem]) from None
    except (YAMLError, ValueError, TypeError, AttributeError, IndexError, AssertionError) as error:
        # The parser is not ours: whatever it trips over is the text's fault and no reason for a traceback.
        message = f"not valid YAML: {type(error).__name__}"
        raise ConfigError(source, [_file_problem(message)]) from None


def _syntax_problem(error: Any) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    message = " ".join(str(part) for part in (error.context, error.problem) if part)
    return Problem(path="", line=line, column=column, message=f"not valid YAML: {message}")


def _is_unicode(text: str) -> bool:
    # An escape such as "\\ud800" makes text that can be neither stored nor sent.
    return not any("\ud800" <= character <= "\udfff" for character in text)


class _Builder:
    """Builds nodes from events; keeps the anchors and the problems."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.count = 0

    def build(self, text: str) -> tuple[Node | None, list[Problem]]:
        events = _events(text, self.source)
        root: Node | None = None
        documents = 0
        for event in events:
            if isinstance(event, StreamStartEvent | StreamEndEvent | DocumentEndEvent):
                continue
            if isinstance(event, DocumentStartEvent):
                documents += 1
                self._document(event, documents)
                continue
            node = self._node(event, events, "", 0)
            root = node if documents == 1 else root
        if isinstance(root, Scalar) and root.kind == "null":
            root = None
        return root, self.problems

    def _document(self, event: Any, number: int) -> None:
        if number > 1:
            raise self._fatal(event, "a second YAML document; a configuration is one document")
        if event.version and tuple(event.version) != (1, 2):
            self._problem(event, "", "another version of YAML; this file is read as YAML 1.2")
        if event.tags:
            self._problem(event, "", "tag directives are not supported")

    def _node(self, event: Any, events: Iterator[Any], path: str, depth: int) -> Node:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        before = self.count
        self._grow(event, 1)
        if depth > MAX_DEPTH:
            raise self._fatal(event, f"nested more than {MAX_DEPTH} levels deep")
        if isinstance(event, AliasEvent):
            return self._alias(event)
        if event.tag is not None:
            self._problem(
                event, path, "tags such as !!str are not supported", "remove the tag, or quote the value"
            )
        node: Node
        if isinstance(event, ScalarEvent):
            value = str(cast("Any", event).value)
            if not _is_unicode(value):
                raise self._fatal(event, "half of a character (a lone surrogate)")
            node = Scalar(line=line, column=column, text=value, plain=cast("Any", event).style in {None, ""})
        elif isinstance(event, SequenceStartEvent):
            node = Sequence(line=line, column=column, items=tuple(self._items(events, path, depth)))
        elif isinstance(event, MappingStartEvent):
            node = Mapping(line=line, column=column, entries=self._entries(events, path, depth))
        else:
            raise self._fatal(event, "not valid YAML here")
        if (anchor := cast("Any", event).anchor) is not None:
            self.anchors[anchor] = (node, self.count - before)
        return node

    def _items(self, events: Iterator[Any], path: str, depth: int) -> Iterator[Node]:
        for index, event in enumerate(events):
            if isinstance(event, SequenceEndEvent):
                return
            yield self._node(event, events, child(path, index), depth + 1)

    def _entries(self, events: Iterator[Any], path: str, depth: int) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            key = self._key(event, events, path, depth)
            value = self._node(next(events), events, child(path, key), depth + 1)
            line, column = event.start_mark.line + 1, event.start_mark.column + 1
            if key in entries:
                first = entries[key]
                self._problem(
                    event,
                    child(path, key),
                    f"this key already stands in line {first.line}",
                    "remove one of them",
                )
                continue
            entries[key] = Entry(line=line, column=column, value=value)
        return entries

    def _key(self, event: Any, events: Iterator[Any], path: str, depth: int) -> str:
        node = self._node(event, events, path, depth + 1)
        if not isinstance(node, Scalar):
            raise self._fatal(event, "a key must be text")
        if node.plain and node.text == "<<":
            self._problem(event, child(path, "<<"), "merge keys are not part of YAML 1.2", "write the keys out")
        elif node.kind != "str":
            self._problem(event, path, f"the key {shorten(node.text)} is not text", "put it in quotes")
        return node.text

    def _alias(self, event: Any) -> Node:
        known = self.anchors.get(event.anchor)
        if known is None:
            raise self._fatal(event, f"the alias *{event.anchor} has no anchor before it")
        node, size = known
        self._grow(event, size)
        return node

    def _grow(self, event: Any, size: int) -> None:
        self.count += size
        if self.count > MAX_NODES:
            raise self._fatal(event, f"more than {MAX_NODES} values, those that aliases repeat included")

    def _problem(self, event: Any, path: str, message: str, hint: str = "") -> None:
        mark = event.start_mark
        self.problems.append(
            Problem(path=path, line=mark.line + 1, column=mark.column + 1, message=message, hint=hint)
        )

    def _fatal(self, event: Any, message: str) -> ConfigError:
        mark = event.start_mark
        problem = Problem(path="", line=mark.line + 1, column=mark.column + 1, message=message)
        return ConfigError(self.source, [*self.problems, problem])
