"""Requests/s and CPU per request at 64 connections, the gateway alone on its core."""

from __future__ import annotations

from pathlib import Path

from bench.load.wrk import burst, write_script
from bench.process import core_busy_s, cpu_s
from bench.run import Run, fleet, turn
from bench.stage import GATEWAY_CORE, Running, Scheme, Stage

LOAD_BOUND = 0.9
DISTURBED = 0.1


def throughput_http(run: Run) -> None:
    """Over a plain HTTP upstream."""
    _throughput(run, "http")


def throughput_https(run: Run) -> None:
    """Over an HTTPS upstream, certificate verified."""
    _throughput(run, "https")


def _throughput(run: Run, scheme: Scheme) -> None:
    measure = f"throughput.{scheme}"
    stage = Stage(scheme, run.upstream.ports[scheme], run.certificate, run.folder / measure)
    with fleet(run, measure, stage) as running:
        scripts = {one.name: write_script(stage.folder, one.name, one.headers) for one in running}
        for _ in range(run.settings.rounds):
            for one in running:
                with turn(one):
                    _round(run, measure, one, scripts[one.name])


def _round(run: Run, measure: str, one: Running, script: Path) -> None:
    burst(one.port, script, run.settings.warm_s)
    gateway, helpers, core = cpu_s(one.gateway_pids), cpu_s(one.helper_pids), core_busy_s(GATEWAY_CORE)
    seen = burst(one.port, script, run.settings.burst_s)
    gateway, helpers = cpu_s(one.gateway_pids) - gateway, cpu_s(one.helper_pids) - helpers
    busy = gateway / seen.seconds
    foreign = max(0.0, (core_busy_s(GATEWAY_CORE) - core) / seen.seconds - busy)
    run.records.add(
        measure,
        one.name,
        per_s=seen.per_s,
        cpu_us=gateway / seen.requests * 1e6,
        helpers_cpu_us=helpers / seen.requests * 1e6,
        busy=busy,
        foreign=foreign,
        p50_ms=seen.p50_ms,
        p99_ms=seen.p99_ms,
    )
    if seen.refused or seen.broken:
        sentence = f"{seen.refused} refused and {seen.broken} broken of {seen.requests} requests"
        run.records.note(measure, one.name, sentence)
    elif foreign > DISTURBED:
        sentence = f"other work on this machine took up to {foreign:.0%} of its core: read the CPU column"
        run.records.note(measure, one.name, sentence)
    elif busy < LOAD_BOUND:
        sentence = f"its core was busy for {busy:.0%} only: the core of wrk and the upstream was the limit"
        run.records.note(measure, one.name, sentence)
