"""Places: the order that each name has of a node's members."""

from __future__ import annotations

import hashlib
import math
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.core.buckets import Places

NAMES = st.text(max_size=20)
MEMBERS = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=25, unique=True)
USERS = [f"user:acme/{at}" for at in range(4_000)]


def by_definition(members: list[str], weights: list[float], name: str) -> list[int]:
    """Rendezvous hashing as it is defined, member by member."""
    key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=16).digest(), "big")
    scores: list[float] = []
    for member, weight in zip(members, weights, strict=True):
        digest = hashlib.blake2b(member.encode(), digest_size=32).digest()
        factor, start = int.from_bytes(digest[:16], "big") | 1, int.from_bytes(digest[16:], "big")
        drawn = ((key * factor + start) % (1 << 128)) >> 75
        scores.append(-weight / math.log((drawn + 0.5) / (1 << 53)))
    return sorted(range(len(members)), key=scores.__getitem__, reverse=True)


@settings(max_examples=200, deadline=None)
@given(MEMBERS, NAMES, st.lists(st.floats(0.1, 100), min_size=25, max_size=25), st.booleans())
def test_the_order_is_that_of_the_definition(
    members: list[str], name: str, weights: list[float], even: bool
) -> None:
    """One multiplication for all members mixes them like one for each, so that no version moves anybody."""
    given = [1.0] * len(members) if even else weights[: len(members)]
    assert Places(members, given).order(name) == by_definition(members, given, name)


def test_names_come_in_proportion_to_weights() -> None:
    """With weights 1, 2 and 5; within five standard deviations."""
    weights = [1.0, 2.0, 5.0]
    places = Places(["a", "b", "c"], weights)
    first = Counter(places.order(user)[0] for user in USERS)
    for at, weight in enumerate(weights):
        share = weight / sum(weights)
        assert abs(first[at] / len(USERS) - share) < 5 * math.sqrt(share * (1 - share) / len(USERS))


def test_nobody_else_moves_where_a_member_comes_or_goes() -> None:
    """Only names of the member that is out go elsewhere: each to the next of its order."""
    members, weights = [f"m{at}" for at in range(20)], [1.0 + at % 3 for at in range(20)]
    whole, less = Places(members, weights), Places(members[:-1], weights[:-1])
    for user in USERS:
        assert less.order(user) == [at for at in whole.order(user) if at != 19]
