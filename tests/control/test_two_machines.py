"""Two machines with one PostgreSQL: what one changes, the other publishes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.config.snapshot import read_snapshot
from penstock.control.problems import Denied
from penstock.ports.control_store import StoreError
from tests.control.house import CONFIG, House
from tests.databases.postgres import PostgresServer, postgres_server

OLD, NEW = CONFIG, CONFIG.replace("sim/echo", "sim/slow-1ms")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """One PostgreSQL server for this module."""
    with postgres_server() as running:
        yield running


def machine(server: PostgresServer, folder: Path, name: str, url: str, config: str = OLD) -> House:
    """One more machine."""
    assert server
    (folder / name).mkdir()
    own = config + f"server: {{listen: 127.0.0.1:40{len(name):02}}}\n"
    return House(folder / name, own, url, name)


def acknowledge(house: House) -> None:
    """What a gateway of this machine does when it has taken the snapshot."""
    content = read_snapshot(house.state.snapshot, house.box).revision
    (house.state.run / f"gw-{house.machine}.json").write_text(
        json.dumps({"pid": os.getpid(), "revision": content})
    )
    house.plane.say_served()


def test_a_change_reaches_every_machine(server: PostgresServer, tmp_path: Path) -> None:
    """It is published where it was not made, and whoever has not acknowledged it yet is named."""
    url = server.database()
    one, two = (machine(server, tmp_path, name, url) for name in ("one", "other"))
    acknowledge(one)
    acknowledge(two)
    _, secret, applied = one.keys.create(one.owner, "acme", "k", {})
    assert secret.startswith("sk-")
    assert applied.behind == ["gw-one", "other/gw-other"]
    acknowledge(one)
    two.plane.catch_up()
    assert {key.name for key in two.published.keys} == {"filed", "acme:k"}
    assert one.plane.gateways.behind(applied.number, one.now) == ["other/gw-other"]
    acknowledge(two)
    assert one.plane.gateways.behind(applied.number, one.now) == []
    # Addresses are each machine's own.
    assert one.published.server.listen != two.published.server.listen
    assert one.audit.verify(one.store).valid
    assert two.audit.verify(two.store).valid
    for house in (one, two):
        house.close()


def test_an_old_file_on_another_machine_undoes_nothing(server: PostgresServer, tmp_path: Path) -> None:
    """While a new file is rolled out, machines that restart or join with the old one do not take it back."""
    url = server.database()
    one, two = (machine(server, tmp_path, name, url) for name in ("one", "other"))
    one.config.write_text(NEW + "server: {listen: 127.0.0.1:4003}\n")
    one.plane.take_file()
    head = one.head()
    two.close()
    two.open()
    joined = machine(server, tmp_path, "third-one", url)
    assert [house.head() for house in (one, two, joined)] == [head] * 3
    assert two.published.routes == joined.published.routes == one.published.routes
    two.config.write_text(NEW + "server: {listen: 127.0.0.1:4005}\n")
    two.plane.take_file()
    assert two.published.routes == one.published.routes
    for house in (one, two, joined):
        house.close()


def test_changes_at_the_same_time_are_all_kept(server: PostgresServer, tmp_path: Path) -> None:
    """Each is checked against what the others have made meanwhile, and numbers have no gap."""
    url = server.database()
    one, two = (machine(server, tmp_path, name, url) for name in ("one", "other"))
    for number in range(3):
        one.keys.create(one.owner, "acme", f"one-{number}", {})
        two.keys.create(two.owner, "acme", f"two-{number}", {})
    with pytest.raises(Denied) as refused:
        two.keys.create(two.owner, "acme", "one-0", {})
    assert refused.value.code == "already_exists"
    one.plane.catch_up()
    assert len(one.published.keys) == len(two.published.keys) == 7
    for house in (one, two):
        house.close()


def test_without_the_database_the_published_goes_on(server: PostgresServer, tmp_path: Path) -> None:
    """Changes are refused with a status that says to try again, nothing is lost, and it catches up."""
    url = server.database()
    house = machine(server, tmp_path, "one", url)
    before = house.state.snapshot.read_bytes()
    server.stop()
    try:
        with house.client() as client:
            answer = client.put("/admin/api/routes/r", json={"policy": "sim/echo"})
            assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
            assert answer.headers["retry-after"] == "1"
        with pytest.raises(StoreError):
            house.plane.catch_up()
        assert house.state.snapshot.read_bytes() == before
        assert set(house.publisher.read().routes) == {"echo"}
    finally:
        server.start()
    with house.client() as client:
        assert client.put("/admin/api/routes/r", json={"policy": "sim/echo"}).status_code == 201
    assert set(house.published.routes) == {"echo", "r"}
    house.close()
