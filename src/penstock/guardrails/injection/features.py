"""What the injection classifier sees of a text: hashes of words, of their neighbours, and of a few traits.

Everything runs in C: one translation, one tokenisation, CRC-32 over words and over chains of words (a CRC goes
on where another ended, so that two words need not be joined). CRC-32 is the same in every process and on every
machine.
"""

from __future__ import annotations

import re
from itertools import repeat
from operator import itemgetter
from typing import Final
from zlib import crc32

from penstock.guardrails.injection.lexicon import TECHNIQUES
from penstock.guardrails.scanning import PatternSet

BITS: Final = 17
MASK: Final = (1 << BITS) - 1
_UPPER: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER: Final = bytes.maketrans(_UPPER + b"123456789", _UPPER.lower() + b"0" * 9)
# Words (in scripts of two bytes a letter, too), one ideogram, one sign; runs of a sign are one token.
_TOKEN: Final = re.compile(
    rb"([a-z]+(?![a-z'\xc3-\xdf])|(?:[a-z]|[\xc3-\xdf][\x80-\xbf])+(?:'[a-z]+)?|0+|[\xe0-\xef][\x80-\xbf]{2}"
    rb"|[\xf0-\xf7][\x80-\xbf]{3}|([^\sa-z0\x80-\xff])\2*)"
)
_FIRST: Final = itemgetter(0)
_PAIR, _SKIP, _STEM, _TRAIT = 1, 2, 3, 4
_SET: Final = PatternSet([f"(?i)(?:{pattern})" for _, pattern in TECHNIQUES])
_TRAITS: Final = tuple(crc32(name.encode(), _TRAIT) for name, _ in TECHNIQUES)


def positions(data: bytes) -> tuple[list[bytes], list[int]]:
    """Tokens of a text in UTF-8, and the places of their features in the table of weights.

    Four lists in one, one after the other, each in the order of the tokens: a word, its pair with the next one,
    the three that begin with it, and it with the one after the next; then long words without their endings.
    """
    words = list(map(_FIRST, _TOKEN.findall(data.translate(_LOWER))))
    pairs = list(map(crc32, words[1:], map(crc32, words, repeat(_PAIR))))
    found = list(map(crc32, words))
    found += pairs
    found += map(crc32, words[2:], pairs)
    found += map(crc32, words[2:], map(crc32, words, repeat(_SKIP)))
    found += [crc32(word[:5], _STEM) for word in words if len(word) > 5]
    return words, list(map(MASK.__and__, found))


def traits(data: bytes, words: list[bytes]) -> list[int]:
    """Places of what holds for a text as a whole: techniques that occur in it, and its shape."""
    techniques = _SET.found(data)
    found = [_TRAITS[index] for index in techniques]
    found += _shape(data, words, len(techniques))
    return [each & MASK for each in found]


def _shape(data: bytes, words: list[bytes], techniques: int) -> list[int]:
    size = len(words)
    upper = len(data) - len(data.translate(None, _UPPER))
    letters = sum(map(len, words)) or 1
    traits = [
        b"length%d" % size.bit_length(),
        b"upper%d" % (upper * 10 // letters),
        b"variety%d" % (len(set(words)) * 8 // (size or 1)),
        b"techniques%d" % min(techniques, 9),
        b"lines%d" % data.count(b"\n").bit_length(),
        b"longest%d" % max(map(len, words), default=0).bit_length(),
    ]
    return [crc32(trait, _TRAIT) for trait in traits]
