"""What one decision of each policy node costs among 20 targets: `python bench/routing_probe.py`.

Timed is the processor's time for making a cursor and its first step, from a request whose facts nobody has
asked for yet to the first target; the best of several rounds, in microseconds. Nothing is sent.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from itertools import accumulate

from penstock.adapters.memory.scores import MemoryScores
from penstock.compile.conditions import condition_of
from penstock.core.asking import LearnedNode
from penstock.core.cascade import Acceptance, CascadeNode, CascadeStep
from penstock.core.choosing import (
    AbNode,
    CanaryNode,
    CheapestNode,
    EasyNode,
    FastestNode,
    Floor,
    StickyNode,
    WhenNode,
)
from penstock.core.difficulty import shipped
from penstock.core.exchange import RequestFacts, Subject
from penstock.core.itinerary import Start
from penstock.core.origin import Origin
from penstock.core.plan import VirtualKey
from penstock.core.policy import FallbackNode, HedgeNode, PolicyNode, TargetNode, WeightedNode
from penstock.core.price import Ceiling, rate_card
from penstock.core.retry import RetryRule
from penstock.core.retry_share import RetryShare
from penstock.core.target import Target
from penstock.core.verdict import Bounds
from penstock.dialects.openai.decode import decode
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.routing.floors import Floors
from penstock.routing.policies import cursor_for
from penstock.routing.standings import Standings
from penstock.routing.view import RequestView
from penstock.routing.walk import Walk
from penstock.testing.clock import VirtualClock
from penstock.upstream.learned import Learned

TARGETS = 20
ROUNDS = 7
DECISIONS = 3_000
NOW = 1_000.0
USERS = 64
CHAT = ENDPOINTS["/v1/chat/completions"]
BODY = json.dumps(
    {
        "model": "r",
        "messages": [
            {"role": "system", "content": "Be brief. " * 20},
            {"role": "user", "content": "Hi! " * 25},
        ],
    }
).encode()


def node(at: int) -> TargetNode:
    """A target with a price of its own."""
    card = rate_card(f"card-{at}", {"input": 1 + at / 10, "output": 4 - at / 10, "cache_read": 0.1})
    name = f"target-{at}"
    return TargetNode(
        Target(
            id=name, provider="p", kind="openai", model=name, model_json=b'"m"', origin=Origin("http", "h", 1),
            base_path=b"", auth=b"", secrets=(), card=card, ceiling=Ceiling(card),
        )
    )  # fmt: skip


def nodes() -> dict[str, PolicyNode]:
    """Each node over the targets."""
    targets = tuple(node(at) for at in range(TARGETS))
    ones = (1.0,) * TARGETS
    cases = tuple(condition_of({"key.tags.tier": {"$eq": f"t{at}"}}) for at in range(TARGETS - 1))
    asks = condition_of({"$or": [{"user": {"$regex": "^nobody"}}, {"input_tokens": {"$gt": 100_000}}]})
    upto = tuple(accumulate(ones))
    return {
        "fallback": FallbackNode(targets),
        "weighted": WeightedNode(targets, upto),
        "when": WhenNode(cases, ("",) * len(cases), targets[:-1], targets[-1]),
        "when_regex": WhenNode((asks,), ("",), targets[:1], targets[1]),
        "cheapest": CheapestNode(targets),
        "cheapest_floor": CheapestNode(targets, Floor("good", 0.5, 0.02), "r"),
        "fastest": FastestNode(targets, "ttft", 0.95, 0.05),
        "sticky_user": StickyNode(targets, ones, "user"),
        "sticky_weights": StickyNode(targets, tuple(1.0 + at for at in range(TARGETS)), "user"),
        "sticky_prefix": StickyNode(targets, ones, "prefix"),
        "canary": CanaryNode(targets[0], targets[1], 0.05, "user", "salt"),
        "ab": AbNode(targets, tuple(f"arm-{at}" for at in range(TARGETS)), upto, "user", "salt"),
        "hedge": HedgeNode(targets, None, 0.95, 5.0),
        "cascade": CascadeNode(
            (
                *[CascadeStep(each, Acceptance(Bounds(fewest_chars=1))) for each in targets[:-1]],
                CascadeStep(targets[-1], None),
            ),
            0.5,
            "cascade r",
        ),
        "learned": LearnedNode(targets, "{}", 1, 0.1),
        "easy": EasyNode(targets[0], targets[1], targets[2], shipped()),
    }


class World:
    """What a gateway knows of the targets, and requests of several users."""

    def __init__(self) -> None:
        draw = random.Random(1)
        self.learnt = {f"target-{at}": Learned() for at in range(TARGETS)}
        self.standings = Standings()
        self.floors = Floors(scores := MemoryScores(VirtualClock()))
        for name, learned in self.learnt.items():
            for _ in range(200):
                learned.learn(400, 100, 800, draw.randint(50, 400))
                self.standings.of(name).began(NOW - 5)
                self.standings.of(name).ended(NOW - 5, "ok", draw.uniform(0.1, 2), 3.0)
                scores.add("r", name, "good", 1.0)
        self.requests = [decode(CHAT, BODY, b"application/json") for _ in range(USERS)]
        self.subjects = [Subject("acme", "", f"user-{at}", "k") for at in range(USERS)]
        self.facts = RequestFacts("req_1", 0, "openai", "chat", "r", "r")
        self.key = VirtualKey("k", b"", Subject("acme", "", "", "k"), tags={"tier": "none"})

    def view(self, at: int) -> RequestView:
        """A request that nothing has been asked of yet."""
        at %= USERS
        return RequestView(
            self.requests[at],
            self.facts,
            self.subjects[at],
            self.key,
            self.learnt.__getitem__,
            None,
            "",
            self.floors,
        )


def timed(policy: PolicyNode, world: World) -> float:
    """Microseconds for a decision, less what making the walk costs; the best round."""
    rule, share = RetryRule(), RetryShare()
    best = float("inf")
    for _ in range(ROUNDS):
        walks = [Walk(rule, share, world.view(at), world.standings) for at in range(DECISIONS)]
        draws = [at / DECISIONS for at in range(DECISIONS)]
        begun = time.process_time()
        steps = [
            cursor_for(policy, walk).step(None, NOW, draw) for walk, draw in zip(walks, draws, strict=True)
        ]
        best = min(best, (time.process_time() - begun) / DECISIONS * 1e6)
        if not all(isinstance(step, Start) for step in steps):
            raise TypeError("a decision without a target")
    return best


def main(say: Callable[[str], None] = print) -> int:
    """Print one JSON object: microseconds by node."""
    world = World()
    say(json.dumps({name: round(timed(policy, world), 3) for name, policy in nodes().items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
