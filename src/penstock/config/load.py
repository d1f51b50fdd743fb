"""`penstock.yaml` to a `Document`: read strictly, check everything, report everything at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from penstock.config.checks import Checks
from penstock.config.document import Document
from penstock.config.needs import NEEDS, Need, unmet
from penstock.config.node import Node
from penstock.config.policy import PolicyReader
from penstock.config.problem import ConfigError, Problem
from penstock.config.reader import INVALID, Reader
from penstock.config.yaml_text import MAX_BYTES, parse_yaml

__all__ = ["ConfigError", "Problem", "load_file", "load_node", "load_text", "read_text"]

_DOCUMENT = msgspec.inspect.type_info(Document)


def load_file(path: Path, env: Mapping[str, str]) -> Document:
    """The document in a file; `env` is where `${NAME}` is looked up.

    Raises:
        ConfigError: the file cannot be read, or says anything that cannot be used; has every problem.
    """
    return load_text(read_text(path), env, str(path))


def read_text(path: Path) -> str:
    """The text of a configuration file. Raises ConfigError."""
    source = str(path)
    try:
        with path.open("rb") as file:
            # One byte more than allowed, so that a huge or endless file is refused without being read.
            return file.read(MAX_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(source, [_whole_file(error.strerror or type(error).__name__)]) from None
    except UnicodeDecodeError:
        raise ConfigError(source, [_whole_file("not UTF-8 text")]) from None


def load_text(
    text: str, env: Mapping[str, str], source: str = "penstock.yaml", needs: tuple[Need, ...] = NEEDS
) -> Document:
    """The document in a text; `source` is the name that messages start with.

    Raises:
        ConfigError: the text says anything that cannot be used; has every problem.
    """
    root, problems = parse_yaml(text, source)
    if root is None:
        if problems:
            raise ConfigError(source, problems)
        return Document()
    return load_node(root, env, source, needs, problems)


def load_node(
    root: Node,
    env: Mapping[str, str],
    source: str,
    needs: tuple[Need, ...] = NEEDS,
    found: Sequence[Problem] = (),
) -> Document:
    """The document in a tree of nodes, whoever made it; `found` are problems of the parsing.

    Raises:
        ConfigError: as `load_text`.
    """
    problems = list(found)
    reader = Reader(env)
    policies = PolicyReader(reader)
    reader.special["policy"] = policies.read
    document = reader.read(root, _DOCUMENT, "")
    problems += reader.problems + unmet(root, env, needs)
    if isinstance(document, Document):
        problems += Checks(document, root, reader.places, reader.kept, policies.targets, policies.sets).run()
    if problems:
        raise ConfigError(source, sorted(problems, key=lambda one: (one.line, one.column, one.path)))
    if document is INVALID:
        raise AssertionError("an unreadable document without a problem")
    return document


def _whole_file(message: str) -> Problem:
    return Problem(path="", line=0, column=0, message=message)
