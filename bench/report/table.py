"""The results as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from bench.records import Records
from bench.report.goals import NOT_YET
from bench.report.machine import Machine
from bench.report.summary import OURS, RELAY, Compared, Line
from bench.settings import Settings

NOTHING = "-"


def number(value: float | None, digits: int) -> str:
    """A number for people; a dash where there is none."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def _significant(value: float | None) -> str:
    """A ratio: two digits after the point while it is small."""
    return NOTHING if value is None else number(value, 2 if abs(value) < 10 else 0)


def _verdict(met: bool | None) -> str:
    return {True: "yes", False: "**no**", None: ""}[met]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def rows_table(found: Sequence[Line], contenders: Sequence[str]) -> list[str]:
    """One line per measure, one column per contender; Penstock's range over the rounds in brackets."""
    others = [name for name in contenders if name != OURS]
    head = ["measure", "goal", OURS, "met?", "over relay", *others]
    text = [_row(head), _row(["---"] * 2 + ["---:"] + ["---"] + ["---:"] * (len(others) + 1))]
    for line in found:
        digits = line.row.digits
        ours = number(line.values.get(OURS), digits)
        if line.spread is not None and line.spread[0] != line.spread[1]:
            ours += f" ({number(line.spread[0], digits)} to {number(line.spread[1], digits)})"
        over = _significant(line.over_relay) if RELAY in contenders else NOTHING
        goal = str(line.row.goal) if line.row.goal else ""
        values = [number(line.values.get(name), digits) for name in others]
        text.append(_row([line.row.title, goal, ours, _verdict(line.met), over, *values]))
    return text


def ratios_table(found: Sequence[Compared]) -> list[str]:
    """Penstock against the others, each ratio the median over the rounds of one run."""
    text = [
        _row(["ratio, same run", "goal", "median", "rounds", "met?"]),
        _row(["---", "---", "---:", "---", "---"]),
    ]
    for one in found:
        low_high = f"{_significant(min(one.rounds))} to {_significant(max(one.rounds))}" if one.rounds else ""
        goal = str(one.ratio.goal) if one.ratio.goal else ""
        text.append(_row([one.ratio.title, goal, _significant(one.value), low_high, _verdict(one.met)]))
    return text


def notes(records: Records) -> list[str]:
    """Everything that a reader has to know about single numbers."""
    text = [f"- {contender}: {why}" for contender, why in records.notes.get("all", {}).items()]
    text += [
        f"- {measure}, {contender}: {why}"
        for measure, said in records.notes.items()
        if measure != "all"
        for contender, why in said.items()
    ]
    return text + [f"- not measured: {why}" for why in NOT_YET.values()]


def method(machine: Machine, settings: Settings, took_s: float) -> list[str]:
    """Machine, versions and how it was done, in short."""
    kind = "virtual machine" if machine.virtual else "machine"
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    throughput = (
        f"- throughput: medians of {settings.rounds} interleaved rounds of {settings.burst_s:g} s at 64"
        " connections, the gateway alone on core 0, wrk, upstream and Penstock's other processes on core 1;"
        " contenders whose turn it is not are stopped"
    )
    others = (
        f"- latency: {settings.latency_rounds} rounds of {settings.latency_s:g} s, open loop, counted from the"
        f" scheduled instant; streams: {settings.stream_rounds} rounds of {settings.stream_s:g} s,"
        f" {settings.streams} at a time,"
        f" {settings.hz:g} events/s each"
    )
    return [
        f"- {machine.date}, {took_s / 60:.0f} minutes; load average before the run {machine.load_before}",
        f"- {kind} with {machine.cores} cores, {machine.cpu}, {machine.memory_gb} GB, Linux {machine.kernel}",
        f"- {versions}; Python {machine.python}, {machine.openssl}, wrk {machine.wrk}",
        throughput,
        others,
        "- method and what limits a missed goal: docs/benchmarks.md; raw numbers of each round: latest.json",
    ]
