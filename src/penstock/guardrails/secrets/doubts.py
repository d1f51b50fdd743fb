"""What speaks against a string being a secret: placeholders, examples, references, too little variety."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

_PLACEHOLDER: Final = re.compile(
    r"x{4,}|\*{3,}|\.{3,}|…|•{3,}|<[^>]*>|\$\{|\{\{|%\(|%[A-Z_]+%|\[[A-Z_ ]+\]|"
    r"example|sample|placeholder|redacted|changeme|change_me|replace|your[-_ ]?|my[-_]?(?:secret|password|"
    r"key|token)|"
    r"dummy|fake|insert|todo|fixme|not[-_]?a[-_]?real|lorem|masked|hidden|abcdefgh|01234567|12345678|deadbeef|"
    r"password123|hunter2|foobar|test[-_]?(?:key|token|secret|password)",
    re.IGNORECASE,
)
_REFERENCE: Final = re.compile(
    r"^(?:\$[A-Za-z_"
    r"{(]|process\.env|os\.(?:environ|getenv)|env[.(\[]|getenv|config[.(\[]|settings\.|secrets?\.|"
    r"vault:|arn:|file:|/run/secrets|ref\+|None$|null$|true$|false$|undefined$|self\.|this\.|args?\.|request\.|"
    r"input\(|getpass|await |lambda|function|new |[a-z_]+\(|@)",
    re.IGNORECASE,
)
_WORDS: Final = re.compile(r"^[A-Za-z]+(?:[-_. /][A-Za-z]+)*$")


def entropy(text: str) -> float:
    """Shannon's entropy of the characters, in bits each."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values())


def placeholder(text: str) -> bool:
    """Whether it says of itself that it stands for something else."""
    return _PLACEHOLDER.search(text) is not None or len(set(text)) <= max(3, len(text) // 12)


def reference(text: str) -> bool:
    """Whether it only says where the secret is kept."""
    return _REFERENCE.match(text) is not None


def random_looking(text: str) -> bool:
    """Whether characters vary as in what a machine drew: both cases or digits among them, no run of words.

    The bound follows the length, since a short string cannot have much entropy.
    """
    size = len(text)
    if size < 8 or _WORDS.match(text):
        return False
    digits = sum(map(str.isdigit, text))
    hexadecimal = all(each in "0123456789abcdefABCDEF-" for each in text)
    if hexadecimal:
        return size >= 16 and digits >= 2 and entropy(text) >= min(2.8, 0.7 * math.log2(size))
    mixed = digits > 0 or (text != text.lower() and text != text.upper())
    return mixed and entropy(text) >= min(3.6, 0.78 * math.log2(size))
