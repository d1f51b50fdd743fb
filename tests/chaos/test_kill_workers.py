"""`kill -9` of one of two gateways, or of the owner of accounts, under load: nothing is lost."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from penstock.testing.simulator import SimulatorThread
from tests.service.load import Load
from tests.service.service import Service, until

KEY = "sk-chaos"
CONFIG = """
version: 1
server: {{workers: 2}}
providers:
  up: {{kind: openai, base_url: "{url}/v1", api_key: sk-upstream}}
deployments:
  main: {{provider: up, model: itl-1ms, price: {{input: 1, output: 2, request: 0.001}}}}
routes:
  chat: {{policy: main}}
keys:
  - {{name: dev, secret: sk-chaos, org: acme, budget: {{usd: 1000, window: total}},
     limits: {{concurrency: 100}}}}
"""
KILLS = 15
THREADS = 8


@pytest.mark.long
def test_nothing_is_lost_when_one_of_several_is_killed(tmp_path: Path) -> None:
    """Fifteen kills of a gateway, of the owner or of both: rows, answers and upstream requests agree."""
    chance = random.Random(11)
    with SimulatorThread() as simulator, Service(tmp_path, CONFIG.format(url=simulator.url)) as service:
        until(lambda: len(service.pids("gateway")) == 2)
        load = Load(service.port, KEY, THREADS)
        load.start()
        for number in range(KILLS):
            load.wait_for(len(load.complete) + 20)
            time.sleep(chance.random() * 0.05)
            for role in (("gateway",), ("accounts",), ("gateway", "accounts"))[number % 3]:
                until(lambda role=role: bool(service.pids(role)))
                os.kill(chance.choice(service.pids(role)), signal.SIGKILL)
            until(lambda: len(service.pids("gateway")) == 2)
        load.wait_for(len(load.complete) + 20)
        load.stop()
        rows = service.logs()
        received = simulator.requests()
    ids = Counter(row["request_id"] for row in rows)
    assert max(ids.values()) == 1, "an id stands twice"
    answered = set(load.complete)
    assert len(answered) == len(load.complete)
    assert answered <= set(ids), "a whole answer has no row"
    assert {request.request_id for request in received} <= set(ids), "the upstream counted what has no row"
    surplus = [row for row in rows if row["request_id"] not in answered]
    assert len(surplus) <= KILLS * THREADS
    for row in surplus:
        assert row["outcome"] in ("interrupted", "cancelled", "ok", "error"), row
