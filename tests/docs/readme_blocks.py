"""Reads the blocks of the README that tests run: `<!-- run: NAME -->` and `<!-- file: NAME -->` mark them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
_BLOCK = re.compile(r"<!-- (run|file): (\S+) -->\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass
class Step:
    """A command as it is typed, and the lines that it prints; `…` stands for anything."""

    command: str
    prints: list[str] = field(default_factory=list[str])


@dataclass
class Block:
    """One marked block, in the README's order."""

    kind: str
    name: str
    text: str

    @property
    def steps(self) -> list[Step]:
        """The commands of a console block."""
        steps: list[Step] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                steps.append(Step(line[2:]))
            elif steps and steps[-1].command.endswith("\\"):
                steps[-1].command += "\n" + line
            else:
                steps[-1].prints.append(line)
        return steps


def blocks() -> list[Block]:
    """All marked blocks."""
    return [Block(*found) for found in _BLOCK.findall(README.read_text("utf-8"))]


def missing(printed: str, promised: list[str]) -> list[str]:
    """The promised lines that were not printed, in order, whatever the width of the columns."""
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    lost: list[str] = []
    at = 0
    for line in promised:
        pattern = re.compile(".*".join(re.escape(part) for part in " ".join(line.split()).split("…")))
        hit = next((i for i in range(at, len(lines)) if pattern.fullmatch(lines[i])), None)
        if hit is None:
            lost.append(line)
        else:
            at = hit + 1
    return lost
