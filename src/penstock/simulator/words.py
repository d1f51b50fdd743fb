"""The simulator's language: a simple exact tokenizer, and seeded words.

A token is one character, whatever it is, and up to eleven more that are not a space: so mostly a word with
the space before it. Joining the tokens of a text gives the text back. No vendor counts this way; what
matters is that anybody can count again, and that it is fast.
"""

from __future__ import annotations

import random
import re
from functools import cache, lru_cache

_TOKEN = re.compile(r".[^ ]{0,11}", re.DOTALL)
_SENTENCE = 12
_SENTENCES = 4_096
_WORDS = (
    *(
        "water",
        "gate",
        "river",
        "lake",
        "dam",
        "stone",
        "wheel",
        "turbine",
        "flow",
        "spring",
        "rain",
        "valley",
    ),
    *("meter", "pipe", "valve", "basin", "bridge", "mill", "quiet", "steady", "clear", "early", "narrow"),
    *(
        "deep",
        "bright",
        "level",
        "open",
        "northern",
        "gentle",
        "sudden",
        "careful",
        "simple",
        "heavy",
        "green",
    ),
    *("turns", "carries", "fills", "measures", "follows", "opens", "reaches", "holds", "crosses", "feeds"),
    *("drives", "settles", "rises", "counts", "joins", "below", "above", "across", "through", "behind"),
    *("beside", "before", "after", "under", "along", "toward", "beyond", "within", "around"),
)


@lru_cache(maxsize=8)
def tokens_of(text: str) -> tuple[str, ...]:
    """The text's tokens, in order, nothing lost. The last few texts are remembered: an echo asks twice."""
    return tuple(_TOKEN.findall(text))


def count_tokens(text: str) -> int:
    """How many tokens the text has."""
    return len(tokens_of(text)) if text else 0


def seeded_tokens(count: int, seed: int) -> list[str]:
    """`count` tokens of words in sentences of twelve; the same seed gives the same words."""
    if count <= 0:
        return []
    # Cut from one long text made once: drawing each word anew costs more than all the rest of an answer.
    text = _long_text()
    start = seed % _SENTENCES * _SENTENCE
    words = text[start : start + count]
    while len(words) < count:
        words += text[: count - len(words)]
    words[0] = words[0].lstrip()
    if not words[-1].endswith("."):
        words[-1] += "."
    return words


@cache
def _long_text() -> list[str]:
    words = [f" {word}" for word in random.Random(0).choices(_WORDS, k=_SENTENCES * _SENTENCE)]
    for start in range(0, len(words), _SENTENCE):
        words[start] = words[start].title()
        words[start + _SENTENCE - 1] += "."
    return words
