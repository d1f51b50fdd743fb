"""What is wrong with a configuration, and where."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that must be mended.

    `path` is the place in the document (`routes.support.policy`), empty for the file itself. `line` and
    `column` count from 1; 0 means that there is no place. `hint` says what to do and may be empty.
    """

    path: str
    line: int
    column: int
    message: str
    hint: str = ""

    def render(self, source: str) -> str:
        """One line, such as `penstock.yaml:12:5: routes.faq.poolicy: unknown key; did you mean 'policy'?`."""
        place = f"{source}:{self.line}:{self.column}" if self.line else source
        words = f"{self.message}; {self.hint}" if self.hint else self.message
        return f"{place}: {self.path}: {words}" if self.path else f"{place}: {words}"


class ConfigError(Exception):
    """The configuration cannot be used; `problems` has everything that is wrong, in the order of the file."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        super().__init__(source, problems)
        self.source = source
        self.problems: tuple[Problem, ...] = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(problem.render(self.source) for problem in self.problems)


def nearest(word: str, known: Iterable[str], count: int = 1, cutoff: float = 0.6) -> list[str]:
    """The known words most like `word`, best first; a difference of case alone counts as the same."""
    known = list(dict.fromkeys(known))
    by_lower = {name.lower(): name for name in reversed(known)}
    close = difflib.get_close_matches(word[:200].lower(), by_lower, n=count, cutoff=cutoff)
    return [by_lower[name] for name in close]


def suggestion(word: str, known: Iterable[str], count: int = 1) -> str:
    """`did you mean 'policy'?`, or the empty string when nothing is near."""
    close = nearest(word, known, count)
    return f"did you mean {' or '.join(repr(name) for name in close)}?" if close else ""


_PLAIN = re.compile(r"[A-Za-z0-9_$-]+")
_SHOWN = 80


def child(path: str, key: str | int) -> str:
    """The path of a mapping's value or a list's item: `routes.support`, `keys[0]`, `routes["gpt-4.1"]`."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not _PLAIN.fullmatch(key):
        # A key may be anything, a megabyte or a terminal's escape sequence included.
        return f"{path}[{shorten(key)}]"
    return f"{path}.{shorten(key)[1:-1]}" if path else shorten(key)[1:-1]


def shorten(text: str) -> str:
    """The text quoted for a message, cut where it is long, control characters escaped."""
    cut = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return (
        '"' + cut.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'
        if not cut.isprintable()
        else f'"{cut}"'
    )
