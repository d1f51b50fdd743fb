"""A queue that is fair by weight: between ranks, in a rank between organisations, in one between its users.

Start-time fair queueing (Goyal, Vin and Cheng, 1996) at each level of the tree: every child has a virtual
start, the smallest is served next and moves on by one over its weight. Whoever was quiet begins at the level's
virtual time, so that nothing is saved up, and waits for at most one service of each other child.
"""

from __future__ import annotations

import heapq
from collections import deque

Rank = int
HIGH, NORMAL, LOW = 0, 1, 2
# Shares of the ranks where all of them wait: none starves.
RANK_WEIGHTS = (16.0, 4.0, 1.0)


class Ticket:
    """Somebody in the queue. `queued` is False once it was served or has left."""

    __slots__ = ("org", "org_weight", "queued", "rank", "user", "user_weight")

    def __init__(
        self,
        org: str = "",
        user: str = "",
        *,
        rank: Rank = NORMAL,
        org_weight: float = 1.0,
        user_weight: float = 1.0,
    ) -> None:
        self.org = org
        self.user = user
        self.rank = rank
        self.org_weight = org_weight
        self.user_weight = user_weight
        self.queued = False


class _Node:
    """One level for one name: children that wait stand in the heap once, by start and by arrival."""

    __slots__ = (
        "children",
        "clock",
        "finish",
        "heap",
        "latest",
        "name",
        "serial",
        "start",
        "tickets",
        "weight",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.weight = 1.0
        self.start = 0.0
        self.finish = 0.0
        self.clock = 0.0
        self.latest = 0.0
        self.serial = 0
        self.children: dict[str, _Node] = {}
        self.heap: list[tuple[float, int, str]] = []
        self.tickets: deque[Ticket] = deque()

    def empty(self) -> bool:
        """Whether nobody waits below."""
        return not self.heap and not self.tickets

    def child(self, name: str, weight: float) -> _Node:
        """A child that is about to get somebody who waits."""
        found = self.children.get(name)
        if found is None:
            found = self.children[name] = _Node(name)
        found.weight = weight
        if found.empty():
            found.start = max(self.clock, found.finish)
            self._enter(found)
        return found

    def _enter(self, child: _Node) -> None:
        self.serial += 1
        heapq.heappush(self.heap, (child.start, self.serial, child.name))

    def next_child(self) -> _Node | None:
        """Whose turn it is; children who all left are dropped on the way."""
        while self.heap:
            child = self.children[self.heap[0][2]]
            if child.first() is not None:
                return child
            heapq.heappop(self.heap)
        self._rest()
        return None

    def first(self) -> Ticket | None:
        """Whose turn it is."""
        tickets = self.tickets
        while tickets:
            if tickets[0].queued:
                return tickets[0]
            tickets.popleft()
        child = self.next_child()
        return child.first() if child is not None else None

    def serve(self) -> None:
        """Take whoever `first` has just named."""
        if self.tickets:
            self.tickets.popleft()
            return
        child = self.children[heapq.heappop(self.heap)[2]]
        self.clock = child.start
        child.finish = child.start + 1.0 / child.weight
        self.latest = max(self.latest, child.finish)
        child.serve()
        if not child.empty():
            child.start = child.finish
            self._enter(child)
        elif not self.heap:
            self._rest()
        elif len(self.children) > 4 * len(self.heap) + 1024:
            self._forget()

    def _rest(self) -> None:
        """Nobody waits below: nobody has anything saved up, or owes anything."""
        self.clock = self.latest
        self.children.clear()

    def _forget(self) -> None:
        """Drop those who have nobody waiting and owe nothing."""
        for name in [n for n, c in self.children.items() if c.empty() and c.finish <= self.clock]:
            del self.children[name]


class FairQueue:
    """Tickets in fair order."""

    __slots__ = ("_count", "_root")

    def __init__(self) -> None:
        self._root = _Node("")
        self._count = 0

    def add(self, ticket: Ticket) -> None:
        """Let it wait."""
        ticket.queued = True
        self._count += 1
        rank = self._root.child(str(ticket.rank), RANK_WEIGHTS[ticket.rank])
        org = rank.child(ticket.org, ticket.org_weight)
        org.child(ticket.user, ticket.user_weight).tickets.append(ticket)

    def first(self) -> Ticket | None:
        """Whose turn it is, None where nobody waits."""
        return self._root.first()

    def serve(self, ticket: Ticket) -> None:
        """`ticket`, which is the first, has its turn: its organisation and its user are charged for it."""
        if self.first() is ticket:
            self._root.serve()
            ticket.queued = False
            self._count -= 1

    def leave(self, ticket: Ticket) -> None:
        """It waits no longer, and has cost nothing."""
        if ticket.queued:
            ticket.queued = False
            self._count -= 1

    def __len__(self) -> int:
        """How many wait."""
        return self._count
