"""The fair queue, in virtual time and against its promises."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.core.fair_queue import HIGH, LOW, NORMAL, FairQueue, Ticket


def test_ten_tenants_with_one_at_a_hundred_times_the_load() -> None:
    """Each quiet tenant waits two services at most, 99 times of 100, while one asks for twice the capacity."""
    queue, waits = FairQueue(), dict[str, list[int]]()
    arrived: dict[Ticket, int] = {}
    rng = random.Random(7)
    served = Counter[str]()
    for turn in range(20_000):
        if len(queue) < 5_000:
            queue.add(Ticket("noisy"))
            queue.add(Ticket("noisy"))
        for tenant in range(9):
            if rng.random() < 0.02:
                ticket = Ticket(f"quiet-{tenant}")
                arrived[ticket] = turn
                queue.add(ticket)
        first = queue.first()
        assert first is not None
        queue.serve(first)
        served[first.org] += 1
        if first in arrived:
            waits.setdefault(first.org, []).append(turn - arrived.pop(first))
    assert len(waits) == 9
    for each in waits.values():
        assert sorted(each)[int(len(each) * 0.99)] <= 2
    assert served["noisy"] == 20_000 - sum(len(each) for each in waits.values())


@given(st.dictionaries(st.sampled_from("abcdefghij"), st.sampled_from([1.0, 2.0, 3.0, 5.0, 8.0]), min_size=2))
@settings(max_examples=20)
def test_shares_follow_weights(weights: dict[str, float]) -> None:
    """Among organisations that always wait, services are within five per cent of their weights."""
    queue, served = FairQueue(), Counter[str]()
    for org, weight in weights.items():
        queue.add(Ticket(org, org_weight=weight))
        queue.add(Ticket(org, org_weight=weight))
    turns = 2_000
    for _ in range(turns):
        first = queue.first()
        assert first is not None
        queue.serve(first)
        served[first.org] += 1
        queue.add(Ticket(first.org, org_weight=weights[first.org]))
    total = sum(weights.values())
    for org, weight in weights.items():
        fair = turns * weight / total
        assert abs(served[org] - fair) <= max(0.05 * fair, 2)


def test_users_share_what_their_organisation_has() -> None:
    """One user with a thousand requests does not keep another user of the same organisation waiting."""
    queue = FairQueue()
    for _ in range(1_000):
        queue.add(Ticket("acme", "loop"))
        queue.add(Ticket("other", "x"))
    late = Ticket("acme", "jane")
    queue.add(late)
    served = list[Ticket]()
    for _ in range(4):
        first = queue.first()
        assert first is not None
        queue.serve(first)
        served.append(first)
    assert late in served


def test_higher_ranks_go_first_and_none_starves() -> None:
    """Of ranks that all wait, each is served by its share."""
    queue, served = FairQueue(), Counter[int]()
    for rank in (LOW, NORMAL, HIGH):
        for _ in range(2_100):
            queue.add(Ticket(str(rank), rank=rank))
    for _ in range(2_100):
        first = queue.first()
        assert first is not None
        queue.serve(first)
        served[first.rank] += 1
    assert [round(served[rank] / 100) for rank in (HIGH, NORMAL, LOW)] == [16, 4, 1]


@given(st.lists(st.tuples(st.sampled_from(["add", "serve", "leave"]), st.integers(0, 4), st.integers(0, 2))))
def test_nobody_is_lost_or_served_twice(steps: list[tuple[str, int, int]]) -> None:
    """Whatever comes and goes, each ticket is served or leaves once, in order within its user."""
    queue, waiting, order = FairQueue(), list[Ticket](), dict[tuple[str, str], list[Ticket]]()
    for what, org, user in steps:
        if what == "add":
            ticket = Ticket(str(org), str(user), rank=user)
            queue.add(ticket)
            waiting.append(ticket)
            order.setdefault((ticket.org, ticket.user), []).append(ticket)
        elif what == "serve":
            first = queue.first()
            assert (first is None) == (not waiting)
            if first is not None:
                queue.serve(first)
                waiting.remove(first)
                assert order[first.org, first.user].pop(0) is first
        elif waiting:
            ticket = waiting.pop(org % len(waiting))
            queue.leave(ticket)
            order[ticket.org, ticket.user].remove(ticket)
        assert len(queue) == len(waiting)


def test_those_who_were_quiet_leave_nothing_behind() -> None:
    """Thousands of organisations that came once do not fill the memory, be the queue ever empty or not."""
    for always in ([], [Ticket("stays"), Ticket("stays")]):
        queue = FairQueue()
        for ticket in always:
            queue.add(ticket)
        for number in range(6_000):
            queue.add(Ticket(f"org-{number}"))
            queue.add(Ticket("stays"))
            for _ in range(2):
                first = queue.first()
                assert first is not None
                queue.serve(first)
        rank = queue._root.children.get("1")  # pyright: ignore[reportPrivateUsage]
        assert rank is None or len(rank.children) < 1_100
