"""Choices that stay the same for the same name: shares of names, and a name's place among several.

Both rest on BLAKE2b, so that every gateway, of every version and on every machine, chooses the same.
"""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Callable, Sequence

# Bits for the product of two numbers of 128, plus a third one.
_ROOM = 256
_UNIT = 1.0 / (1 << 53)
_divided: Callable[[float, float], float] = float.__truediv__
# Makes a word a number between 0 and 1, and never one of them.
_BELOW_ONE = math.nextafter(1.0 / (1 << 64), 0.0)


def uniform(salt: str, name: str) -> float:
    """A number in [0, 1) that is the name's own under this salt."""
    digest = hashlib.blake2b(
        name.encode("utf-8", "surrogatepass"), digest_size=8, person=_person(salt)
    ).digest()
    return (int.from_bytes(digest, "big") >> 11) * _UNIT


def _person(salt: str) -> bytes:
    return hashlib.blake2b(salt.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Places:
    """Rendezvous hashing with weights: each name has an order of members of its own.

    A member gets names in proportion to its weight; where it is out, its names go to the members that are next
    in their orders, and nobody else's move (Thaler and Ravishankar 1998; with weights, the largest of
    -w / ln(u) as in Schindelhauer and Schomaker 2005). One hash of the name is mixed with a number of each
    member's own by multiplication modulo 2^128, of which the top 53 bits are taken.
    """

    __slots__ = ("_even", "_factors", "_indices", "_size", "_starts", "_weights")

    def __init__(self, members: Sequence[str], weights: Sequence[float]) -> None:
        numbers = [_numbers(member) for member in members]
        # All members' numbers in one, with room for each product: one multiplication mixes them all.
        self._factors = sum([factor << (_ROOM * at) for at, (factor, _) in enumerate(numbers)])
        self._starts = sum([start << (_ROOM * at) for at, (_, start) in enumerate(numbers)])
        self._size = len(numbers) * _ROOM // 8
        self._indices = list(range(len(numbers)))
        self._weights = [-weight for weight in weights]
        self._even = len(set(self._weights)) <= 1

    def order(self, name: str) -> list[int]:
        """The members' indices in the name's order, its own place first."""
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        mixed = int.from_bytes(digest, "big") * self._factors + self._starts
        # Of each member's four words, the second is the top half of what is left modulo 2^128.
        words = memoryview(mixed.to_bytes(self._size, "little")).cast("Q")[1::4].tolist()
        if sys.byteorder == "big":
            words = [int.from_bytes(word.to_bytes(8, "big"), "little") for word in words]
        found = self._indices.copy()
        if self._even:
            found.sort(key=words.__getitem__, reverse=True)
            return found
        drawn = [(word + 0.5) * _BELOW_ONE for word in words]
        scores = list(map(_divided, self._weights, map(math.log, drawn)))
        found.sort(key=scores.__getitem__, reverse=True)
        return found


def _numbers(member: str) -> tuple[int, int]:
    digest = hashlib.blake2b(member.encode("utf-8", "surrogatepass"), digest_size=32).digest()
    return int.from_bytes(digest[:16], "big") | 1, int.from_bytes(digest[16:], "big")
