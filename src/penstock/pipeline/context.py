"""What all exchanges of one gateway process share: the current Plan, and the state that outlives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from penstock.adapters.memory.scores import MemoryScores
from penstock.admission.accounts import Account, Accounts
from penstock.admission.chains import Chains
from penstock.core.exchange import RequestFacts, Subject
from penstock.core.plan import Plan, VirtualKey
from penstock.core.prompt_cache import PrefixMemory
from penstock.core.retry_share import RetryShare
from penstock.pipeline.caches import Caches
from penstock.pipeline.drilling import Drills
from penstock.ports.clock import Clock
from penstock.ports.inner_call import InnerCalls
from penstock.ports.journal import JournalSink
from penstock.ports.owned import OwnedIds
from penstock.ports.scores import Scores
from penstock.ports.secrets import SecretBox
from penstock.ports.transport import Transport
from penstock.routing.floors import Floors
from penstock.routing.resolve import Resolver
from penstock.routing.standings import Standings
from penstock.routing.walk import Outside
from penstock.upstream.attempt import Attempt
from penstock.upstream.credentials import CredentialTable
from penstock.upstream.learned import Learned
from penstock.upstream.tasks import TaskRules

MAX_STATES: Final = 65_536
# How often it is looked for attempts that hang.
LOOK_S: Final = 0.5


class Running(Protocol):
    """An exchange under way, as those see it who watch over them."""

    def kill(self) -> bool:
        """Stop it, and tell its client; False where it had ended already."""
        ...

    def told(self) -> dict[str, object]:
        """What it is, and how far it has come."""
        ...


AskerFor = Callable[["GatewayContext", VirtualKey, Subject, RequestFacts, list[Account], int], InnerCalls]


class GatewayContext:
    """Plan and state. `draw` gives uniform floats in [0, 1), `bits` random integers of so many bits.

    `box` seals the ids of videos; without one none are made. `tasks`: how vendors' tasks are waited for.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        clock: Clock,
        journal: JournalSink,
        transport: Transport,
        accounts: Accounts,
        owned: OwnedIds,
        draw: Callable[[], float],
        bits: Callable[[int], int],
        box: SecretBox | None = None,
        tasks: TaskRules | None = None,
        scores: Scores | None = None,
        caches: Caches | None = None,
    ) -> None:
        self.clock = clock
        self.journal = journal
        self.transport = transport
        self.accounts = accounts
        self.owned = owned
        self.draw = draw
        self.bits = bits
        self.box = box
        self.tasks = tasks or TaskRules()
        self.caches = caches or Caches(clock)
        self.learned: dict[str, Learned] = {}
        self.scores: Scores = scores or MemoryScores(clock)
        self.floors = Floors(self.scores)
        self.credentials = CredentialTable()
        self.shares: dict[str, RetryShare] = {}
        self.standings = Standings()
        self.outside = Outside()
        self.attempts: set[Attempt] = set()
        self._looked_at = float("-inf")
        self.chains = Chains()
        self.prefixes = PrefixMemory()
        self.exchanges = 0
        # Those under way, by request id.
        self.running: dict[str, Running] = {}
        # By provider: until when its list of models is good, and the list.
        self.model_lists: dict[str, tuple[float, tuple[str, ...]]] = {}
        # Makes inner calls for an exchange; the pipeline puts it here, of which this is a part.
        self.asker: AskerFor | None = None
        self.drills = Drills(clock, journal)
        self.plan = plan
        self.resolver = Resolver(plan, clock.now_ms())
        self.accounts.apply(plan, clock.now_ms())
        self.standings.apply(plan.places, plan.health)

    def swap(self, plan: Plan) -> None:
        """Take a new Plan; exchanges under way keep the one they began with."""
        self.caches.follow(self.plan, plan)
        self.plan = plan
        self.drills.swap(plan)
        self.credentials.keep({each.source for each in plan.signings()}, self.clock.now_ms())
        self.model_lists.clear()
        self.resolver = Resolver(plan, self.clock.now_ms())
        self.accounts.apply(plan, self.clock.now_ms())
        self.standings.apply(plan.places, plan.health)

    def learned_of(self, target_id: str) -> Learned:
        """What is known of a target's answers."""
        learned = self.learned.get(target_id)
        if learned is None:
            learned = Learned()
            if len(self.learned) < MAX_STATES:
                self.learned[target_id] = learned
        return learned

    def share_of(self, route: str) -> RetryShare:
        """The retry share of a route."""
        share = self.shares.get(route)
        if share is None:
            share = RetryShare()
            if len(self.shares) < MAX_STATES:
                self.shares[route] = share
        return share

    def new_request_id(self, now_ms: int = 0) -> str:
        """A request id that sorts by time (`now_ms`, where it is known already) and cannot be guessed."""
        return f"req_{now_ms or self.clock.now_ms():011x}{self.bits(64):016x}"

    def sweep(self, now: float) -> None:
        """Expire attempts whose phase took too long."""
        for attempt in [a for a in self.attempts if a.late(now)]:
            attempt.expire()
        if now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        for attempt in [a for a in self.attempts if a.silent]:
            if self.standings.of(attempt.target.id).hangs(now, attempt.began_at):
                attempt.hang()
