"""What stands between admission and the first attempt: order, refusals, answers, clients that go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from penstock.core.cache_plan import CachePlan
from penstock.core.errors import Refusal
from penstock.core.exchange import AttemptFacts, ExchangeSettled, RequestFacts
from penstock.dialects.openai.decode import decode
from penstock.dialects.openai.endpoints import ENDPOINTS
from penstock.pipeline.exchange import Exchange
from penstock.pipeline.inner import spending_only
from penstock.pipeline.preparing import Preparing, Stage, Watcher
from penstock.ports.http_server import HttpRequest
from penstock.upstream.attempt import Attempt
from tests.fault.world import WHOLE, World, body_for

Act = Callable[[Preparing, Callable[[], None]], None]


class Doing(Stage):
    """A stage that does what it is told, and remembers what was done to it."""

    __slots__ = ("act", "cancelled", "then")

    def __init__(self, name: str, act: Act) -> None:
        super().__init__(name)
        self.act = act
        self.cancelled = 0
        self.then: Callable[[], None] | None = None

    def prepare(self, exchange: Preparing, then: Callable[[], None]) -> None:
        """See Stage."""
        self.then = then
        self.act(exchange, then)

    def cancel(self) -> None:
        """See Stage."""
        self.cancelled += 1


class Staged(Exchange):
    """An exchange with stages of the test's own."""

    __slots__ = ("given",)
    given: list[Stage]

    def _stages(self) -> list[Stage]:
        return list(self.given)


@dataclass(eq=False)
class Seen(Watcher):
    """What a watcher was told, in order."""

    told: list[str | bytes] = field(default_factory=list[str | bytes])

    def piece(self, data: bytes) -> None:
        """See Watcher."""
        self.told.append(data)

    def complete(self, attempt: Attempt, last: bytes, facts: AttemptFacts) -> None:
        """See Watcher."""
        self.told.append(last)
        self.told.append(f"{attempt.target.id} {facts.finish_reason}")

    def over(self) -> None:
        """See Watcher."""
        self.told.append("over")


def go(exchange: Preparing, then: Callable[[], None]) -> None:
    """Go on at once."""
    del exchange
    then()


def wait(exchange: Preparing, then: Callable[[], None]) -> None:
    """Go on when the test says so."""


def staged(world: World, *stages: Stage) -> Staged:
    """An exchange in this world with these stages; not started."""
    route = replace(world.context.plan.routes["chat"], cache=CachePlan(b""))
    body = body_for(stream=world.stream)
    clock = world.clock
    http = HttpRequest(b"POST", "/v1/chat/completions", b"", {}, body, clock.monotonic(), "")
    request = decode(ENDPOINTS["/v1/chat/completions"], body, b"application/json")
    facts = RequestFacts("r", clock.now_ms(), "openai", "chat", "chat", "chat", world.stream)
    allowance = spending_only([])
    exchange = Staged(
        world.context, http, world.reply, request, route, world.key, world.key.subject, allowance, facts
    )
    exchange.given = list(stages)
    return exchange


def row(world: World) -> ExchangeSettled:
    """The one row of the one exchange; nothing is held any more."""
    assert len(world.exchanges) == 1
    assert world.held[:2] == (0, 0)
    assert not world.context.exchanges
    assert not world.context.running
    return world.exchanges[0]


def test_stages_run_in_order_and_their_times_are_noted() -> None:
    """Each goes on when it wants; then the target is asked, and the ledger knows how long each took."""
    world = World(stream=False)
    first, second = Doing("screen", wait), Doing("cache", go)
    staged(world, first, second).start()
    world.clock.advance(0.25)
    assert first.then is not None
    assert second.then is None
    assert not world.transport.calls
    first.then()
    world.settle()
    settled = row(world)
    assert world.reply.body == b"".join(WHOLE)
    assert settled.notes == {"screen_us": "250000", "cache_us": "0"}
    assert (first.cancelled, second.cancelled) == (0, 0)


def refusing(exchange: Preparing, then: Callable[[], None]) -> None:
    """Refuse by raising."""
    del exchange, then
    raise Refusal("invalid_type", "not with me")


def refused(exchange: Preparing, then: Callable[[], None]) -> None:
    """Refuse by saying so."""
    exchange.refuse(Refusal("invalid_type", "not with me"))
    then()


@pytest.mark.parametrize("act", [refusing, refused])
def test_a_stage_may_refuse(act: Act) -> None:
    """The client is told why, no target hears of it, and later stages are not asked."""
    world = World(stream=False)
    later = Doing("cache", go)
    staged(world, Doing("screen", act), later).start()
    world.settle()
    assert b"not with me" in world.reply.body
    assert (row(world).status, row(world).outcome, row(world).code) == (400, "error", "invalid_type")
    assert later.then is None
    assert not world.transport.calls


def test_a_stage_may_answer() -> None:
    """What it has goes out after the journal has the row, which says where the answer is from."""
    world = World(stream=False)

    def hit(exchange: Preparing, then: Callable[[], None]) -> None:
        del then
        exchange.notes["age_s"] = "3"
        exchange.answer("exact", "", lambda: world.reply.send(200, b"", b"kept"), 4)

    staged(world, Doing("cache", hit)).start()
    world.settle()
    settled = row(world)
    assert (settled.cache, settled.attempts, settled.bytes_out) == ("exact", [], 4)
    assert settled.notes == {"age_s": "3", "cache_us": "0"}
    assert world.reply.body == b"kept"
    assert not world.transport.calls


@pytest.mark.parametrize("how", ["gone", "killed"])
def test_an_exchange_that_ends_meanwhile_cancels_its_stage(how: str) -> None:
    """It settles once, and the stage's late word leads nowhere."""
    world = World(stream=False)
    stage = Doing("screen", wait)
    exchange = staged(world, stage)
    exchange.start()
    if how == "gone":
        world.reply.hang_up()
    else:
        assert exchange.kill()
    assert stage.cancelled == 1
    assert stage.then is not None
    stage.then()
    world.settle()
    assert row(world).outcome == ("cancelled" if how == "gone" else "error")
    assert not world.transport.calls


def test_a_defect_in_a_stage_ends_the_exchange() -> None:
    """The client gets a 500 instead of waiting for ever."""
    world = World(stream=False)

    def broken(exchange: Preparing, then: Callable[[], None]) -> None:
        del exchange, then
        raise RuntimeError("defect")

    with pytest.raises(RuntimeError, match="defect"):
        staged(world, Doing("screen", broken)).start()
    world.settle()
    assert row(world).code == "internal_error"
    assert world.reply.status == 500


@pytest.mark.parametrize("stream", [False, True])
def test_a_watcher_sees_what_the_client_gets(*, stream: bool) -> None:
    """Every piece, the last one before it goes out, and the end, once."""
    world = World(stream=stream)
    seen = Seen()
    exchange = staged(world)
    exchange.watcher = seen
    exchange.start()
    world.settle()
    assert seen.told[-1] == "over"
    assert seen.told[-2] == "a stop"
    assert b"".join([each for each in seen.told if isinstance(each, bytes)]) == world.reply.body
    assert (b" day" if stream else WHOLE[1]) in world.reply.body
    row(world)


def test_a_watcher_hears_of_an_answer_that_never_came() -> None:
    """It is told that all is over, without an answer."""
    world = World(stream=False)
    seen = Seen()
    exchange = staged(world, Doing("screen", wait))
    exchange.watcher = seen
    exchange.start()
    world.reply.hang_up()
    world.settle()
    assert seen.told == ["over"]
