"""Streams under way: CPU per relayed chunk and time to first token added, at 100 streams of 50 events/s."""

from __future__ import annotations

from bench.process import cpu_s
from bench.run import Load, Run, fleet, turn
from bench.stage import Running, Stage
from bench.upstream import start_metered

MEASURE = "streams"
DIRECT = "direct"
FULL_DELIVERY = 0.97


def streamed_chunks(run: Run) -> None:
    """The metered upstream over plain HTTP, each event a chunk of its own."""
    settings = run.settings
    options = ["--events", str(settings.events), "--hz", str(settings.hz)]
    upstream = start_metered(run.folder, run.certificate, "http", options)
    try:
        stage = Stage("http", upstream.ports["http"], run.certificate, run.folder / MEASURE, streaming=True)
        with fleet(run, MEASURE, stage) as running:
            for _ in range(settings.stream_rounds):
                bare = _load(run, Running(DIRECT, stage.upstream_port, upstream.process, [], {}))
                run.records.add(MEASURE, DIRECT, **bare)
                for one in running:
                    with turn(one):
                        seen = _load(run, one)
                    keys = ("ttft_p50_ms", "ttft_p99_ms", "delay_p50_ms", "delay_p99_ms")
                    added = {f"added_{key}": seen[key] - bare[key] for key in keys}
                    run.records.add(MEASURE, one.name, **added, **seen)
                    _judge(run, one, seen, bare)
    finally:
        upstream.process.end()


def _load(run: Run, one: Running) -> dict[str, float]:
    settings = run.settings
    spread = settings.events / settings.hz
    number, seconds = settings.streams, settings.stream_s
    with Load("streams", one.port, one.headers, streams=number, seconds=seconds, spread=spread) as load:
        load.line()
        before = cpu_s(one.gateway_pids)
        seen = load.result()
        used = cpu_s(one.gateway_pids) - before
    if one.gateway_pids and seen["events"]:
        seen["cpu_us"] = used / seen["events"] * 1e6
        seen["busy"] = used / seen["seconds"]
    return seen


def _judge(run: Run, one: Running, seen: dict[str, float], bare: dict[str, float]) -> None:
    share = seen["events"] / bare["events"]
    if seen["broken"] or share < FULL_DELIVERY:
        sentence = f"saturated: {share:.0%} of the events came through, {seen['broken']:.0f} streams broke"
        run.records.note(MEASURE, one.name, sentence)
