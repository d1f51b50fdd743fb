"""Latency added at a fixed rate: through the gateway minus straight to the upstream, in the same round."""

from __future__ import annotations

from collections.abc import Mapping

from bench.run import Load, Run, fleet, turn
from bench.stage import Stage

MEASURE = "latency"
DIRECT = "direct"


def latency_added(run: Run) -> None:
    """Open loop over plain HTTP; contenders that cannot carry the goal's rate get one that they can."""
    stage = Stage("http", run.upstream.ports["http"], run.certificate, run.folder / MEASURE)
    rates = {one.name: min(one.max_rate, run.settings.latency_rate) for one in run.contenders}
    with fleet(run, MEASURE, stage) as running:
        for _ in range(run.settings.latency_rounds):
            direct = {
                rate: _open_loop(run, stage.upstream_port, {}, rate) for rate in sorted(set(rates.values()))
            }
            for rate, seen in direct.items():
                run.records.add(MEASURE, DIRECT, **seen | {"rate": rate})
            for one in running:
                with turn(one):
                    seen = _open_loop(run, one.port, one.headers, rates[one.name])
                bare = direct[rates[one.name]]
                added = {f"added_{key}": seen[key] - bare[key] for key in ("p50_ms", "p99_ms")}
                run.records.add(MEASURE, one.name, **added, **seen)
                if seen["failed"]:
                    run.records.note(MEASURE, one.name, f"{seen['failed']:.0f} requests failed")
    for name, rate in rates.items():
        if rate < run.settings.latency_rate:
            run.records.note(MEASURE, name, f"offered {rate} requests/s, because it cannot carry more")


def _open_loop(run: Run, port: int, headers: Mapping[str, str], rate: int) -> dict[str, float]:
    with Load("open_loop", port, headers, rate=rate, seconds=run.settings.latency_s) as load:
        return load.result()
