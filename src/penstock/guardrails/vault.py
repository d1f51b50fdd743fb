"""What was taken out of a request, under placeholders that the answer may carry back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

# `<EMAIL_ADDRESS_1>`; the longest kind and number bound how much of a stream is held back for one.
PLACEHOLDER = re.compile(r"<([A-Z][A-Z0-9_]{0,39})_([1-9][0-9]{0,3})>")
BEGUN = re.compile(r"<(?:[A-Z][A-Z0-9_]{0,44})?\Z")
LONGEST = 47
MOST = 9_999


class Vault:
    """Placeholders of one exchange. Equal texts of a kind share one, so that a model tells people apart."""

    __slots__ = ("_by_text", "_counts", "_texts")

    def __init__(self) -> None:
        self._by_text: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}
        self._texts: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._texts)

    def placeholder(self, kind: str, text: str) -> str:
        """What stands for `text`; where there are too many, the bare kind, which nothing brings back."""
        found = self._by_text.get((kind, text))
        if found is None:
            number = self._counts.get(kind, 0) + 1
            if number > MOST:
                return f"<{kind}>"
            self._counts[kind] = number
            found = self._by_text[kind, text] = f"<{kind}_{number}>"
            self._texts[found] = text
        return found

    def keep(self, texts: Iterable[str]) -> None:
        """A placeholder that the request itself spells is nobody's: numbers begin after it."""
        for text in texts:
            if "<" in text:
                for kind, number in PLACEHOLDER.findall(text):
                    self._counts[kind] = max(self._counts.get(kind, 0), int(number))

    def original(self, placeholder: str) -> str | None:
        """The text for which it stands; None for one that is not ours."""
        return self._texts.get(placeholder)

    def digest(self) -> bytes:
        """Changes with what was taken out: an answer into which it was put back is for nobody else."""
        if not self._texts:
            return b""
        told = "\0".join([f"{name}\0{text}" for name, text in self._texts.items()])
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()[:16]
