"""`kill -9` under load: nothing that a client received, and nothing that an upstream counted, is lost."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

from penstock.testing.simulator import SimulatorThread
from tests.service.load import Load
from tests.service.service import Service

KEY = "sk-chaos"
CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1", api_key: sk-upstream}}
deployments:
  main: {{provider: up, model: itl-1ms, price: {{input: 1, output: 2}}}}
routes:
  chat: {{policy: main}}
keys:
  - {{name: dev, secret: sk-chaos, org: acme, budget: {{usd: 1000, window: total}}}}
"""
KILLS = 20
THREADS = 8


def test_nothing_is_lost_when_processes_are_killed_under_load(tmp_path: Path) -> None:
    """Twenty kills of the gateway, the worker or both: rows, answers and upstream requests agree."""
    chance = random.Random(7)
    with SimulatorThread() as simulator, Service(tmp_path, CONFIG.format(url=simulator.url)) as service:
        load = Load(service.port, KEY, THREADS)
        load.start()
        for number in range(KILLS):
            load.wait_for(len(load.complete) + 20)
            time.sleep(chance.random() * 0.05)
            for role in (("gateway",), ("worker",), ("gateway", "worker"))[number % 3]:
                service.kill(role)
            service.wait_ready()
        load.wait_for(len(load.complete) + 20)
        load.stop()
        rows = service.logs()
        received = simulator.requests()
    ids = Counter(row["request_id"] for row in rows)
    assert max(ids.values()) == 1, "an id stands twice"
    answered = set(load.complete)
    assert len(answered) == len(load.complete)
    assert answered <= set(ids), "a whole answer has no row"
    upstream = Counter(request.request_id for request in received)
    nameless = [r for r in received if not r.request_id]
    assert not nameless, nameless[:2]
    assert set(upstream) <= set(ids), "the upstream counted a request that has no row"
    surplus = [row for row in rows if row["request_id"] not in answered]
    assert len(surplus) <= KILLS * THREADS
    for row in surplus:
        # Cut off by the kill, or answered in full just as the client's side of the connection died.
        assert row["outcome"] in ("interrupted", "cancelled", "ok"), row
        if row["outcome"] == "interrupted":
            assert row["usage_source"] == "estimated", row
            assert row["cost_nanousd"] > 0, row
