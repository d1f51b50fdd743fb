"""What control tells machines without a control process of their own, and what it hears from them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from penstock.adapters.fleet.seal import FleetToken, WeakTokenError
from penstock.config.document import Document, Provider, Secret, Server
from penstock.config.snapshot import Snapshot, make_snapshot
from penstock.control.acks import Gateways
from penstock.control.fleet import AWAY_S, MOST_WAIT_S, Fleet
from penstock.control.follow import with_own
from penstock.ports.control_store import Served
from penstock.ports.fleet import Asked, Heard
from penstock.ports.secrets import UnsealError

TOKEN = FleetToken("a secret that two machines share")


def snapshot(name: str, server: Server | None = None) -> Snapshot:
    """A configuration that has a secret, and is another one for another name."""
    provider = Provider(kind="openai", api_key=Secret.literal(f"sk-{name}"))
    document = Document(providers={name: provider}, server=server or Server())
    return make_snapshot(document, {}, 1_900_000_000_000)


class Time:
    """Monotonic seconds that a test turns."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        """Now."""
        return self.at


def asked(have: str = "", number: int = 0, wait_s: float = 0.0, **gateways: str) -> Asked:
    """What a machine asks."""
    return Asked(machine="m", said_ns=1, gateways=gateways, have=have, number=number, wait_s=wait_s)


def test_a_snapshot_travels_sealed() -> None:
    """Who has the same secret opens it; neither its secrets nor the shared one can be seen on the way."""
    sent = snapshot("one")
    data = TOKEN.pack(sent)
    assert FleetToken("a secret that two machines share").unpack(data) == sent
    assert b"sk-one" not in data
    assert "share" not in TOKEN.bearer
    with pytest.raises(UnsealError, match="another"):
        FleetToken("a secret that nobody else has").unpack(data)
    with pytest.raises(UnsealError, match="changed on its way"):
        TOKEN.unpack(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(WeakTokenError, match="openssl rand"):
        FleetToken("short")


def test_who_has_an_older_one_gets_the_newest_at_once() -> None:
    """Who has it already waits, and gets nothing when his time is over."""

    async def main() -> None:
        fleet = Fleet(TOKEN.pack, Time())
        assert await fleet.newer(asked()) is None
        first = snapshot("one")
        fleet.publish(first, 1)
        sent = await fleet.newer(asked(have="another", number=0, wait_s=60))
        assert sent is not None
        assert (sent.number, TOKEN.unpack(sent.data)) == (1, first)
        assert await fleet.newer(asked(have=first.revision, number=1)) is None

    asyncio.run(main())


def test_who_waits_is_told_when_it_is_published() -> None:
    """By another thread, as control publishes; nobody polls."""

    async def main() -> None:
        fleet = Fleet(TOKEN.pack, Time())
        first, second = snapshot("one"), snapshot("two")
        fleet.publish(first, 1)
        waiting = [
            asyncio.ensure_future(fleet.newer(asked(have=first.revision, number=1, wait_s=60)))
            for _ in range(20)
        ]
        await asyncio.sleep(0)
        assert not any(each.done() for each in waiting)
        await asyncio.to_thread(fleet.publish, second, 2)
        for sent in await asyncio.gather(*waiting):
            assert sent is not None
            assert TOKEN.unpack(sent.data) == second

    asyncio.run(main())


def test_a_control_process_that_lags_sends_nobody_back() -> None:
    """Who has a later revision keeps it while another control process catches up."""

    async def main() -> None:
        fleet = Fleet(TOKEN.pack, Time())
        old, new = snapshot("old"), snapshot("new")
        fleet.publish(old, 4)
        waiting = asyncio.ensure_future(fleet.newer(asked(have=new.revision, number=5, wait_s=60)))
        await asyncio.sleep(0)
        fleet.publish(new, 5)
        assert await waiting is None
        # A database that was restored to an earlier state holds after all: nothing newer comes in time.
        fleet = Fleet(TOKEN.pack, Time())
        fleet.publish(old, 4)
        sent = await fleet.newer(asked(have=new.revision, number=5))
        assert sent is not None
        assert TOKEN.unpack(sent.data) == old

    asyncio.run(main())


def test_what_arrives_out_of_turn_is_not_believed() -> None:
    """A question that was sent before an acknowledgement does not undo it by arriving later."""
    fleet = Fleet(TOKEN.pack, Time())
    fleet.heard(Heard(machine="m", said_ns=5, gateways={"g": "new"}))
    fleet.heard(Heard(machine="m", said_ns=4, gateways={"g": "old"}))
    numbers = {"new": 2, "old": 1}
    assert [one.number for one in fleet.served(lambda content: numbers[content], 0)] == [2]


def test_a_machine_that_does_not_come_back_is_away() -> None:
    """It counts as long as it may be waiting, and a little longer; one that says that it leaves is gone."""
    time = Time()
    fleet = Fleet(TOKEN.pack, time)
    fleet.heard(Heard(machine="m", said_ns=1, gateways={"g": "x"}))
    fleet.heard(Heard(machine="n", said_ns=1, gateways={"h": "x"}))
    fleet.heard(Heard(machine="n", said_ns=2, gateways={}))
    time.at += MOST_WAIT_S + AWAY_S - 0.1
    assert [one.machine for one in fleet.served(len, 0)] == ["m"]
    time.at += 0.2
    assert fleet.served(len, 0) == []


def test_gateways_of_other_machines_are_waited_for_and_named(tmp_path: Path) -> None:
    """By machine and boot; where two control processes heard of one, the later word counts."""
    fleet = Fleet(TOKEN.pack, Time())
    fleet.heard(Heard(machine="edge", said_ns=1, gateways={"g1": "two", "g2": "one"}))
    others = [
        Served(boot="g2", machine="edge", number=2, seen_ms=0),
        Served(boot="g3", machine="far", number=1, seen_ms=0),
    ]
    gateways = Gateways(tmp_path, "here", lambda: others, fleet.served)
    gateways.published("one", 1)
    gateways.published("two", 2)
    assert gateways.behind(2, 0) == ["far/g3"]
    alone = Gateways(tmp_path, "here", None, fleet.served)
    alone.published("one", 1)
    alone.published("two", 2)
    assert alone.behind(2, 0) == ["edge/g2"]


def test_each_machine_keeps_its_own_addresses() -> None:
    """Redis and the database are control's unless the machine names others; the revision stays control's."""
    redis, database = Secret.template("${REDIS}"), Secret.template("${DATABASE}")
    theirs = snapshot("x", Server(listen="127.0.0.1:1", workers=9, redis_url=redis, database_url=database))
    mine = with_own(theirs, Document(server=Server(listen="127.0.0.1:2", database_url=redis)))
    server = mine.document.server
    assert (server.listen, server.workers) == ("127.0.0.1:2", 1)
    assert (server.redis_url, server.database_url) == (redis, redis)
    assert mine.revision == theirs.revision
    assert mine.document.providers == theirs.document.providers
