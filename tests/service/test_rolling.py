"""A rolling upgrade: gateways behind a balancer are replaced one after the other, and nobody notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.balancer import Balancer
from tests.service.load import Load
from tests.service.service import until
from tests.service.test_control_url import Machines
from tests.service.workers import KEY

ROUND = 24


@pytest.mark.long
def test_machines_are_replaced_one_by_one_without_a_dropped_request(tmp_path: Path) -> None:
    """Under load, streams included: each gateway, then control; every answer is whole."""
    rules = "limits: {rpm: 1000000}"
    drain = ", drain: {idle_s: 3}"
    with (
        Machines(tmp_path, rules, drain, model="itl-10ms+tokens-40") as machines,
        Balancer(tmp_path, [served.port for served in machines.others]) as balancer,
    ):
        before = {boot for served in machines.others for boot in machines.boots(served)}
        load = Load(balancer.port, KEY, threads=12)
        load.start()
        load.wait_for(ROUND)
        for served in machines.others:
            served.stop()
            load.wait_for(len(load.complete) + ROUND)
            served.start()
            served.wait_said("Penstock listens on")
            until(lambda served=served: bool(machines.boots(served)), 40.0)
            load.wait_for(len(load.complete) + ROUND)
        machines.control.stop()
        machines.control.start()
        until((machines.control.state / "control.sock").exists, 40.0)
        load.stop()
        assert (load.broken, load.sent) == (0, len(load.complete)), balancer.complaints
        assert balancer.complaints == ""
        after = {boot for served in machines.others for boot in machines.boots(served)}
        assert len(after) == len(before) == 2
        assert not before & after
