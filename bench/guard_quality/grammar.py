"""Texts from grammars: the training material of the injection classifier, which is written and not collected.

A file has lists (`= name`, one choice a line) and sections (`% technique`, one template a line). In a template
`{a|b}` chooses one of several, `{$name}` one of a list's, and both may nest. A brace that neither holds `|` nor
begins with `$` is text, as in JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

FOLDER = Path(__file__).parent / "material"


class Grammar:
    """Templates by section, and the lists that they name."""

    def __init__(self, path: Path) -> None:
        self.lists: dict[str, list[str]] = {}
        self.sections: dict[str, list[str]] = {}
        into: list[str] = []
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("# ") or not line:
                continue
            if line.startswith("= "):
                into = self.lists.setdefault(line[2:].strip(), [])
            elif line.startswith("% "):
                into = self.sections.setdefault(line[2:].strip(), [])
            else:
                into.append(line)

    def draw(self, random: Random, each: int) -> Iterator[tuple[str, str]]:
        """Section and text: `each` texts of every template."""
        for section, templates in self.sections.items():
            for template in templates:
                for _ in range(each):
                    yield section, self.expand(template, random).replace("\\n", "\n").strip()

    def expand(self, template: str, random: Random) -> str:
        """One text of a template."""
        out: list[str] = []
        at = 0
        while at < len(template):
            if template[at] != "{":
                out.append(template[at])
                at += 1
                continue
            end = _closing(template, at)
            inside = template[at + 1 : end]
            options = _options(inside)
            if len(options) == 1 and not inside.startswith("$"):
                out.append("{" + self.expand(inside, random) + "}")
            else:
                out.append(self._chosen(random.choice(options), random))
            at = end + 1
        return "".join(out)

    def _chosen(self, option: str, random: Random) -> str:
        if option.startswith("$") and option[1:] in self.lists:
            return self.expand(random.choice(self.lists[option[1:]]), random)
        return self.expand(option, random)


def _closing(text: str, start: int) -> int:
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if depth == 0:
            return at
    return len(text)


def _options(inside: str) -> list[str]:
    """Parts of a choice, split where no brace is open."""
    parts, depth = [""], 0
    for char in inside:
        depth += (char == "{") - (char == "}")
        if char == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts
