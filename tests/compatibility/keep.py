"""Keeps a state directory as this version leaves it, for later versions to read.

`python -m tests.compatibility.keep NAME` writes `NAME.tar.gz` beside this file: a machine that was switched off
in the middle, with answers that the ledger has, answers that it does not have yet, and one that was under way.
Keep one at each release, and before a change of what is stored.
"""

from __future__ import annotations

import os
import signal
import sys
import tarfile
import tempfile
import threading
from pathlib import Path

from penstock.testing.simulator import SimulatorThread
from tests.service.service import Service, until

HERE = Path(__file__).parent
KEY = "sk-kept"
CONFIG = """
version: 1
providers:
  up: {{kind: openai, base_url: "{url}/v1", api_key: sk-upstream-literal}}
deployments:
  main: {{provider: up, model: echo, price: {{request: 0.01}}}}
  stuck: {{provider: up, model: hang, price: {{request: 0.01}}}}
routes:
  chat: {{policy: main, retry: {{attempts: 1}}}}
  hang: {{policy: stuck, retry: {{attempts: 1}}}}
orgs: {{acme: {{}}}}
keys:
  - {{name: dev, secret: sk-kept, org: acme, budget: {{usd: 1, window: total}}}}
"""
# So many answers the ledger has, and so many only the journal.
IN_LEDGER, IN_JOURNAL = 5, 3


def ask(service: Service, route: str) -> int:
    """The status of one request, 0 where the connection broke."""
    body = f'{{"model": "{route}", "messages": [{{"role": "user", "content": "Hello"}}]}}'
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    connection = service.connect()
    try:
        connection.request("POST", "/v1/chat/completions", body, headers)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def keep(name: str) -> Path:
    """Make the state and pack it."""
    with tempfile.TemporaryDirectory() as folder, SimulatorThread() as simulator:
        with Service(Path(folder), CONFIG.format(url=simulator.url)) as service:
            until((service.state / "control.sock").exists)
            for _ in range(IN_LEDGER):
                ask(service, "chat")
            until(lambda: len(service.logs()) == IN_LEDGER)
            os.kill(service.pid("worker"), signal.SIGSTOP)
            for _ in range(IN_JOURNAL):
                ask(service, "chat")
            threading.Thread(target=ask, args=(service, "hang"), daemon=True).start()
            until(lambda: bool(simulator.requests(model="hang")))
            pids = [service.supervisor, service.pid("gateway"), service.pid("control"), service.pid("worker")]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        path = HERE / f"{name}.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for each in sorted((Path(folder) / "state").rglob("*")):
                if each.is_file() and "cache" not in each.parts and each.suffix != ".lock":
                    archive.add(each, each.relative_to(Path(folder) / "state"))
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{keep(sys.argv[1])}\n")
