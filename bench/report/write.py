"""Puts the results where they were asked for."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path

from bench.records import Record
from bench.report import table
from bench.report.chart import chart
from bench.report.machine import Machine
from bench.report.summary import OURS, Compared, Line, compared, lines
from bench.run import Run


def write_all(run: Run, machine: Machine, took_s: float, folder: Path | None, extra: Path | None) -> str:
    """Write latest.md, latest.json and latest.svg to the folder, the JSON to `extra`; return the Markdown."""
    names = [one.name for one in run.contenders]
    found, ratios = lines(run.records, names), compared(run.records)
    drawing = chart(found)
    text = _markdown(run, machine, took_s, found, ratios, with_chart=bool(drawing and folder))
    document = json.dumps(_document(run, machine, took_s, found, ratios), indent=1, ensure_ascii=False) + "\n"
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "latest.md").write_text(text)
        (folder / "latest.json").write_text(document)
        if drawing:
            (folder / "latest.svg").write_text(drawing)
    if extra is not None:
        extra.write_text(document)
    return text


def _markdown(
    run: Run, machine: Machine, took_s: float, found: list[Line], ratios: list[Compared], *, with_chart: bool
) -> str:
    names = [one.name for one in run.contenders]
    parts = ["# Benchmark results", "", *table.method(machine, run.settings, took_s), ""]
    if with_chart:
        parts += ["![requests a second](latest.svg)", ""]
    parts += [*table.ratios_table(ratios), "", *table.rows_table(found, names), ""]
    parts += ["Medians over the rounds; in brackets the lowest and highest round.", ""]
    parts += ["## Notes", "", *table.notes(run.records)]
    return "\n".join(parts) + "\n"


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 4)


def _raw(record: Record) -> dict[str, object]:
    values = {key: _finite(value) for key, value in record.values.items()}
    return {"measure": record.measure, "contender": record.contender, **values}


def _document(
    run: Run, machine: Machine, took_s: float, found: list[Line], ratios: list[Compared]
) -> dict[str, object]:
    """Everything, for programs: targets with verdicts, the rows, the ratios, and each round."""
    targets = [
        {
            "id": line.row.id,
            "value": _finite(line.values.get(OURS)),
            "n": len(run.records.values(line.row.measure, OURS, line.row.key)),
            "target": str(line.row.goal),
            "met": line.met,
        }
        for line in found
        if line.row.goal is not None
    ]
    targets += [
        {
            "id": one.ratio.id,
            "value": _finite(one.value),
            "n": len(one.rounds),
            "target": str(one.ratio.goal),
            "met": one.met,
        }
        for one in ratios
        if one.ratio.goal is not None
    ]
    return {
        "machine": machine.as_dict(),
        "settings": asdict(run.settings),
        "took_s": round(took_s),
        "targets": targets,
        "rows": {line.row.id: {name: _finite(value) for name, value in line.values.items()} for line in found},
        "ratios": {one.ratio.id: _finite(one.value) for one in ratios},
        "notes": run.records.notes,
        "rounds": [_raw(record) for record in run.records.rounds],
    }
