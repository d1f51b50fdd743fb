"""Two gateway processes on one port: CPU per request against one, and how evenly connections spread."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.contenders.penstock import Penstock
from bench.load.wrk import burst, write_script
from bench.process import cpu_s
from bench.run import Run
from bench.stage import BenchError, Running, Stage

MEASURE = "workers"
ESTABLISHED = "01"


def two_workers(run: Run) -> None:
    """Penstock with `workers: 2`; one worker's CPU per request is that of throughput.http."""
    if not any(contender.name == Penstock.name for contender in run.contenders):
        return
    folder = run.folder / MEASURE
    folder.mkdir(mode=0o755)
    stage = Stage("http", run.upstream.ports["http"], run.certificate, folder)
    try:
        one = Penstock(workers=2).start(stage)
    except BenchError:
        run.records.note(MEASURE, Penstock.name, "this version does not start several gateway processes yet")
        return
    try:
        for _ in range(run.settings.rounds):
            _round(run, one, write_script(folder, one.name, one.headers))
    finally:
        one.process.end()


def _round(run: Run, one: Running, script: Path) -> None:
    burst(one.port, script, run.settings.warm_s)
    before = cpu_s(one.gateway_pids)
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(burst, one.port, script, run.settings.burst_s)
        shares = _connections_after(one, run.settings.burst_s / 2)
        seen = load.result()
    used = cpu_s(one.gateway_pids) - before
    run.records.add(
        MEASURE,
        one.name,
        per_s=seen.per_s,
        cpu_us=used / seen.requests * 1e6,
        imbalance=(max(shares) - min(shares)) / max(1, sum(shares)),
    )


def _connections_after(one: Running, seconds: float) -> list[int]:
    """How many client connections each gateway process holds in the middle of a burst."""
    time.sleep(seconds)
    suffix = f":{one.port:04X}"
    inodes: set[str] = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(suffix) and fields[3] == ESTABLISHED:
            inodes.add(f"socket:[{fields[9]}]")
    return [_sockets(pid, inodes) for pid in one.gateway_pids]


def _sockets(pid: int, inodes: set[str]) -> int:
    count = 0
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            count += str(descriptor.readlink()) in inodes
        except FileNotFoundError:
            continue
    return count
