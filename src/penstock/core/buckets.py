"""Choices that stay the same for the same name: shares of names, and a name's place among several.

Both rest on BLAKE2b, so that every gateway, of every version and on every machine, chooses the same.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

_BITS = 128
_MASK = (1 << _BITS) - 1
_TOP = _BITS - 53
_UNIT = 1.0 / (1 << 53)


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

    __slots__ = ("_even", "_members", "_weights")

    def __init__(self, members: Sequence[str], weights: Sequence[float]) -> None:
        self._members = [_numbers(member) for member in members]
        self._weights = list(weights)
        self._even = len(set(self._weights)) <= 1

    def order(self, name: str) -> list[int]:
        """The members' indices in the name's order, its own place first."""
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        key = int.from_bytes(digest, "big")
        drawn = [((key * factor + start) & _MASK) >> _TOP for factor, start in self._members]
        if self._even:
            scores = [float(each) for each in drawn]
        else:
            log = math.log
            scores = [
                -weight / log((each + 0.5) * _UNIT) for each, weight in zip(drawn, self._weights, strict=True)
            ]
        found = list(range(len(scores)))
        found.sort(key=scores.__getitem__, reverse=True)
        return found


def _numbers(member: str) -> tuple[int, int]:
    digest = hashlib.blake2b(member.encode("utf-8", "surrogatepass"), digest_size=32).digest()
    return int.from_bytes(digest[:16], "big") | 1, int.from_bytes(digest[16:], "big")
