"""A question as words that can be compared: numbers, times, code, names and words, each with its place.

Nothing here knows what words mean; see `lexicon` and `differences`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Kind = Literal["word", "number", "time", "code"]

_TOKEN = re.compile(
    r"""
    (?P<code>`[^`\n]+`|[A-Za-z_][\w]*(?:[._:\\][\w*]+)+(?:\(\))?|(?<!\w)[./~]*/[\w./-]+|\w+\(\)|[A-Za-z]+_\w+|(?<![^\s(])--?[a-z][\w-]*\w)
  | (?P<time>\d{1,2}(?::\d{2})?\s?[ap]\.?m\b\.?|\d{1,2}:\d{2})
  | (?P<number>[#$€£]?\d+(?:[.,]\d+)*)
  | (?P<word>[^\W\d_]+(?:['\u2019][^\W\d_]+)?)
  | (?P<sign>[%€£$°=<>+*/^])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_UNITS = dict.fromkeys("zero one two three four five six seven eight nine ten eleven twelve".split())  # noqa: SIM905
NUMBERS: dict[str, float] = {
    **{word: float(i) for i, word in enumerate(_UNITS)},
    "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
    "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90, "hundred": 100, "thousand": 1e3, "million": 1e6, "billion": 1e9,
    "dozen": 12, "twice": 2, "double": 2, "triple": 3, "half": 0.5,
    "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "tenth": 10,
}  # fmt: skip
_ROMAN = {"II": 2.0, "III": 3.0, "IV": 4.0, "VI": 6.0, "VII": 7.0, "VIII": 8.0, "IX": 9.0}
_SCALE = {"k": 1e3, "m": 1e6, "bn": 1e9}
_SHORT = {
    "n't": "not",
    "'s": "",
    "'re": "are",
    "'ve": "have",
    "'ll": "will",
    "'d": "would",
    "'m": "am",
}
_WHOLE = {
    "can't": "can", "won't": "will", "shan't": "shall", "cannot": "can", "dont": "do", "doesnt": "do",
    "isnt": "is", "cant": "can", "wont": "will", "didnt": "did", "aint": "is", "ain't": "is",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """One word: `plain` is what is compared; `begin` and `end` are its place in the text as it was given.

    `value` is what a number or a time (minutes of the day) amounts to. `name`: written like a proper name.
    """

    plain: str
    kind: Kind
    begin: int
    end: int
    value: float = 0.0
    name: bool = False


def words_of(text: str) -> tuple[Word, ...]:
    """The text's words in order; punctuation is left out."""
    found: list[Word] = []
    start = True
    for match in _TOKEN.finditer(text):
        if match.group().lower() in {"yes", "no"} and text[match.end() : match.end() + 1] in {",", "."}:
            continue  # "No, it is not": the sentence behind it says the same
        between = text[found[-1].end : match.start()] if found else ""
        start = start or any(mark in between for mark in ".!?:\n")
        found += _words(match, start=start)
        start = False
    return tuple(found)


def _words(match: re.Match[str], *, start: bool) -> list[Word]:
    raw, begin, end = match.group(), match.start(), match.end()
    kind = match.lastgroup
    if kind == "code":
        return [Word(raw.strip("`").removesuffix("()"), "code", begin, end)]
    if kind == "time":
        return [Word(raw.lower(), "time", begin, end, _minutes(raw))]
    if kind == "number":
        bare = raw.lstrip("#$€£")
        number = Word(bare, "number", begin, end, _amount(bare))
        return [Word(raw[0], "word", begin, begin + 1), number] if raw[0] in "$€£" else [number]
    if raw in _ROMAN:
        return [Word(raw, "number", begin, end, _ROMAN[raw])]
    return _letters(raw, begin, end, start=start)


def _letters(raw: str, begin: int, end: int, *, start: bool) -> list[Word]:
    """A word, or the two that a contraction is made of."""
    plain = unicodedata.normalize("NFKC", raw).casefold().replace("\u2019", "'")
    if plain in NUMBERS and plain != "second":
        return [Word(plain, "number", begin, end, NUMBERS[plain])]
    stem, more = _WHOLE.get(plain, ""), "not"
    if not stem:
        short = next((each for each in _SHORT if plain.endswith(each)), "")
        stem, more = plain.removesuffix(short) if short else plain, _SHORT.get(short, "")
    upper = raw[0].isupper() and (not start or (len(raw) > 1 and raw.isupper())) and plain != "i"
    found = [Word(stem, "word", begin, end, name=upper or any(c.isupper() for c in raw[1:]))]
    return [*found, Word(more, "word", begin, end)] if more else found


def _amount(raw: str) -> float:
    text = raw.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", raw) else raw.replace(",", ".")
    try:
        return float(text)
    except ValueError:  # 1.2.3: a version, compared as it is written
        return hash_of(raw)


def hash_of(raw: str) -> float:
    """A number for what is none, the same in every process."""
    total = 0
    for letter in raw:
        total = (total * 131 + ord(letter)) % 1_000_003
    return -1.0 - total


def _minutes(raw: str) -> float:
    digits = re.findall(r"\d+", raw)
    hour, minute = int(digits[0]), int(digits[1]) if len(digits) > 1 else 0
    low = raw.lower()
    if "p" in low and hour < 12:
        hour += 12
    elif "a" in low and hour == 12:
        hour = 0
    return hour * 60.0 + minute
