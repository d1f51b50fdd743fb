"""Pairs of questions written for this project: some that may share an answer, some that may not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import NamedTuple

FILES = ("questions.txt", "passages.txt")


class Pair(NamedTuple):
    """Two texts of a group; `kind` is "=" where they may share an answer, else what differs."""

    group: int
    a: str
    b: str
    same: bool
    kind: str


@dataclass(frozen=True, slots=True)
class Group:
    """Texts that may share an answer, and texts (kind, text) that may not share one with any of those."""

    same: tuple[str, ...]
    other: tuple[tuple[str, str], ...]


def groups(*files: str) -> list[Group]:
    """Of these files, or of all."""
    found: list[Group] = []
    for name in files or FILES:
        text = resources.files("bench.semantic_cache.pairs").joinpath(name).read_text()
        for block in text.split("\n\n"):
            lines = [line for line in block.splitlines() if line and not line.startswith("#")]
            same = tuple(line[2:] for line in lines if line.startswith("= "))
            other = tuple((line[1], line[3:]) for line in lines if line.startswith("!"))
            if same:
                found.append(Group(same, other))
    return found


def pairs(these: list[Group]) -> Iterator[Pair]:
    """Every pair of a group that one of its `same` lines is part of."""
    for number, group in enumerate(these):
        for i, text in enumerate(group.same):
            for before in group.same[:i]:
                yield Pair(number, before, text, same=True, kind="=")
            for kind, other in group.other:
                yield Pair(number, text, other, same=False, kind=kind)
