"""Each role by itself, side by side on one state directory as a service manager runs them."""

from __future__ import annotations

import http.client
import json
from pathlib import Path

from penstock.testing.simulator import SimulatorThread
from tests.service.processes import Served, penstock
from tests.service.service import free_port, logs, until
from tests.service.workers import Clients, config

DOLLAR = "budget: {usd: 1, window: total}"


def test_each_role_runs_by_itself(tmp_path: Path) -> None:
    """Started in any order, they do together what `penstock serve` does: one budget over two gateways."""
    with SimulatorThread() as simulator:
        file, state = tmp_path / "penstock.yaml", tmp_path / "state"
        file.write_text(config(simulator.url, DOLLAR, workers=2))
        port = free_port()
        with (
            Served(file, state, "gateway", listen=port) as gateway,
            Served(file, state, "worker") as worker,
            Served(file, state, "accounts") as accounts,
        ):
            gateway.wait_said("waiting for control to publish")
            worker.wait_said("waiting for control to publish")
            with Served(file, state, "control") as control:
                gateway.wait_said(f"Penstock listens on http://127.0.0.1:{port}")
                until(lambda: len(list((state / "run").glob("*.json"))) == 2)
                assert "--role accounts" in gateway.said
                clients = Clients(port, 60, each=2)
                clients.start()
                assert clients.join().statuses == {200: 100, 402: 20}
                assert len(logs(state)) == 120
                made = penstock(
                    "keys", "create", "ci", "--org", "acme", "-c", str(file), "--state-dir", str(state)
                )
                assert made.returncode == 0, made.stderr
                roles = [served.roles() for served in (control, gateway, worker, accounts)]
                assert roles == [{"control"}, {"gateway"}, {"worker"}, {"accounts"}]
            # Control has ended: the others go on.
            assert _models(port, made.stdout.split()[0]) == 200


def test_a_role_runs_once_in_a_state_directory(tmp_path: Path) -> None:
    """A second one of the same role is refused, and so is the whole service beside it."""
    file, state = tmp_path / "penstock.yaml", tmp_path / "state"
    file.write_text("version: 1\nserver: {listen: 127.0.0.1:0}\n")
    with Served(file, state, "control") as control:
        control.wait_said("publishes to")
        words = ("serve", "-c", str(file), "--state-dir", str(state))
        again = penstock(*words, "--role", "control")
        assert (again.returncode, "another `penstock serve --role control` uses" in again.stderr) == (1, True)
        whole = penstock(*words)
        assert (whole.returncode, "another `penstock serve` uses" in whole.stderr) == (1, True)


def test_inference_runs_by_itself(tmp_path: Path) -> None:
    """Beside control, and ends in order."""
    file, state = tmp_path / "penstock.yaml", tmp_path / "state"
    file.write_text("version: 1\nserver: {listen: 127.0.0.1:0}\n")
    with Served(file, state, "control") as control, Served(file, state, "inference") as inference:
        control.wait_said("publishes to")
        inference.wait_said("Penstock's inference process serves")
        until(lambda: len(inference.pids("inference")) == 1)
        (pid,) = inference.pids("inference")
        inference.stop()
        assert not Path(f"/proc/{pid}").exists()
        assert "is killed" not in inference.said


def _models(port: int, key: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/v1/models", headers={"Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    json.loads(answer.read())
    connection.close()
    return answer.status
