"""What words have to do with each other: forms, synonyms, opposites, kinds. From WordNet 3.0, see WORDNET.txt.

The table is read once, when it is first asked (some 0.3 s), in the inference process or a command.
"""

from __future__ import annotations

import lzma
from functools import cache
from importlib import resources

from penstock.cache.vocabulary import ALIKE, OPPOSITES

_ENDINGS = (
    ("ies", "y"),
    ("sses", "ss"),
    ("ves", "f"),
    ("ing", ""),
    ("ing", "e"),
    ("ied", "y"),
    ("ed", ""),
    ("ed", "e"),
    ("iest", "y"),
    ("ier", "y"),
    ("est", ""),
    ("est", "e"),
    ("er", ""),
    ("es", ""),
    ("s", ""),
)
# Endings that make another word of a word, without changing what is asked about.
_DERIVED = (
    "ation",
    "ment",
    "ance",
    "ence",
    "tion",
    "sion",
    "able",
    "ible",
    "ally",
    "ing",
    "ion",
    "ity",
    "ive",
    "ful",
    *("ant", "ent", "ous", "ure", "age", "al", "er", "or", "ly", "ed", "es", "ic", "y", "s", "e", "t"),
)
_LEAST_STEM = 4
_NEGATING = ("un", "non", "dis", "in", "im", "ir", "il", "de", "mis")


class Lexicon:
    """Relations between words in their plain form."""

    def __init__(self, table: str) -> None:
        self._senses: dict[str, list[str]] = {}
        self._above: dict[str, list[str]] = {}
        self._opposite: dict[str, set[str]] = {}
        self._irregular: dict[str, str] = {}
        for line in table.splitlines():
            kind, first, *rest = line.split("\t")
            if kind == "w":
                self._senses.setdefault(first, []).extend(rest[1].split())
            elif kind == "s":
                self._above[first] = rest[0].split()
            elif kind == "o":
                self._opposite.setdefault(first, set()).add(rest[0])
            else:
                self._irregular.setdefault(first, rest[0])
        for a, b in OPPOSITES:
            self._opposite.setdefault(a, set()).add(b)
            self._opposite.setdefault(b, set()).add(a)
        self._alike = {word: number for number, group in enumerate(ALIKE) for word in group}
        self._lemmas: dict[str, str] = {}

    def __contains__(self, word: str) -> bool:
        return word in self._senses

    def lemma(self, word: str) -> str:
        """The form that a dictionary lists; the word itself where none is known."""
        found = self._lemmas.get(word)
        if found is None:
            if len(self._lemmas) > 100_000:
                self._lemmas.clear()
            found = self._lemmas[word] = self._lemma(word)
        return found

    def _lemma(self, word: str) -> str:
        if word in self._irregular:
            return self._irregular[word]
        for ending, instead in _ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) >= 2:
                stem = word[: -len(ending)] + instead
                if stem in self._senses and not (ending in {"er", "s"} and word in self._senses):
                    return stem
                if len(stem) > 2 and stem[-1] == stem[-2] and stem[:-1] in self._senses:
                    return stem[:-1]
        return word

    def related(self, a: str, b: str) -> bool:
        """The same word but for its ending: refund and refundable. Not unlock and lock."""
        shorter = min(len(a), len(b))
        same = next((i for i in range(shorter) if a[i] != b[i]), shorter)
        if same < _LEAST_STEM:
            return False
        return all(rest in ("", *_DERIVED) or rest in {"ies", "ied", "ing"} for rest in (a[same:], b[same:]))

    def synonyms(self, a: str, b: str) -> bool:
        """They can mean the same."""
        if self._alike.get(a, -1) == self._alike.get(b, -2):
            return True
        theirs = self._senses.get(b, ())
        mine = self._senses.get(a, ())
        if any(sense in theirs for sense in mine):
            return True
        # Adjectives are gathered around a head: tall around high. Two of one head may differ: red and blue.
        near = {up for sense in mine if sense[0] == "a" for up in self._above.get(sense, ())}
        return any(sense in near for sense in theirs) or any(
            up in mine for sense in theirs if sense[0] == "a" for up in self._above.get(sense, ())
        )

    def opposites(self, a: str, b: str) -> bool:
        """One denies the other: open and closed, lock and unlock, refundable and non-refundable."""
        if b in self._opposite.get(a, ()) or a in self._opposite.get(b, ()):
            return True
        longer, shorter = (a, b) if len(a) > len(b) else (b, a)
        for prefix in _NEGATING:
            rest = longer.removeprefix(prefix)
            if rest != longer and len(rest) >= 3 and (rest == shorter or self.related(rest, shorter)):
                return True
        return any(self._close(other, b) for other in self._opposite.get(a, ())) or any(
            self._close(other, a) for other in self._opposite.get(b, ())
        )

    def _close(self, a: str, b: str) -> bool:
        mine, theirs = self._senses.get(a, [])[:1], self._senses.get(b, [])[:1]
        return bool(mine) and mine == theirs

    def siblings(self, a: str, b: str) -> bool:
        """Two kinds of one thing: chicken and beef, red and blue."""
        mine, theirs = self._parents(a), self._parents(b)
        return bool(mine & theirs)

    def _parents(self, word: str) -> set[str]:
        first = [sense for sense in self._senses.get(word, ()) if sense[0] != "v"][:2]
        near = {up for sense in first for up in self._above.get(sense, ())}
        return near | {up for sense in near for up in self._above.get(sense, ())}

    def narrows(self, a: str, b: str) -> bool:
        """One is a kind of the other: flat and apartment house, dog and animal."""
        mine, theirs = self._senses.get(a, ())[:2], self._senses.get(b, ())[:2]
        return any(up in theirs for sense in mine for up in self._above.get(sense, ())) or any(
            up in mine for sense in theirs for up in self._above.get(sense, ())
        )


@cache
def lexicon() -> Lexicon:
    """The table that is shipped."""
    data = resources.files("penstock.cache").joinpath("lexicon.tsv.xz").read_bytes()
    return Lexicon(lzma.decompress(data).decode())
