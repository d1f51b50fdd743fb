"""The simulator's language: a simple exact tokenizer, and seeded words.

A token is one character, whatever it is, and up to eleven more that are not a space: so mostly a word with
the space before it. Joining the tokens of a text gives the text back. No vendor counts this way; what
matters is that anybody can count again, and that it is fast.
"""

from __future__ import annotations

import random
import re
from functools import lru_cache

_TOKEN = re.compile(r".[^ ]{0,11}", re.DOTALL)
_SENTENCE = 12
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
    words = random.Random(seed).choices(_WORDS, k=count)
    for start in range(0, count, _SENTENCE):
        words[start] = words[start].title()
        words[min(start + _SENTENCE, count) - 1] += "."
    return words[:1] + [f" {word}" for word in words[1:]]
