"""The published worked cases come out as they were printed, or as they should have been."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from penstock.cli.lcpr import lcpr
from penstock.economics.cases import CASES, outputs

FILE = Path(__file__).parent / "golden.json"
GOLDEN = cast("list[dict[str, Any]]", json.loads(FILE.read_text()))


def _holds(value: Any, wanted: Any, precision: Any) -> bool:
    if precision == "exact":
        return bool(value == wanted)
    values = cast("list[Any]", value) if isinstance(value, list) else [value]
    if precision in ("range", "range:1"):
        rounded = [round(each) for each in values] if precision == "range:1" else values
        return bool(wanted[0] <= min(rounded) and max(rounded) <= wanted[1])
    if precision == "min":
        return bool(value >= wanted)
    wanteds = cast("list[Any]", wanted) if isinstance(wanted, list) else [wanted]
    return all(abs(a - b) <= precision / 2 + 1e-12 for a, b in zip(values, wanteds, strict=True))


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: str(case["id"]))
def test_a_published_figure_is_reproduced_to_its_printed_precision(case: dict[str, Any]) -> None:
    """From the inputs that stand in the text, that it implies, or that fit it."""
    found = outputs(case["kind"], case["inputs"])
    for name, wanted in case["expected"].items():
        assert _holds(found[name], wanted, case["printed_precision"][name]), (name, found[name], wanted)


def test_cases_can_be_worked_out_by_command(tmp_path: Path) -> None:
    """A list, or one a line: one object comes out for each; mistakes are told beside the others."""
    told = CliRunner().invoke(lcpr, ["case", "--json", str(FILE)])
    assert told.exit_code == 0, told.output
    lines = [json.loads(line) for line in told.output.splitlines()]
    assert [line["id"] for line in lines] == [case["id"] for case in GOLDEN]
    assert all(set(line) == {"id", "outputs"} for line in lines)
    file = tmp_path / "cases.jsonl"
    wrong: list[dict[str, Any]] = [
        {"id": "a", "kind": "littles_law", "inputs": {"arrival_per_s": 3, "latency_s": 2}},
        {"id": "b", "kind": "nothing", "inputs": {}},
        {"id": "c", "kind": "gpu_month", "inputs": {"gpu_hourly": -1}},
        {"id": "d", "kind": "gpu_month", "inputs": {}},
    ]
    file.write_text("\n".join([json.dumps(each) for each in wrong]))
    told = CliRunner().invoke(lcpr, ["case", "--json", str(file)])
    assert told.exit_code == 1
    first, *others = [json.loads(line) for line in told.output.splitlines()]
    assert first == {"id": "a", "outputs": {"concurrent": 6}}
    messages = [each["error"] for each in others]
    assert "there is no kind 'nothing'" in messages[0]
    assert messages[1:] == ["gpu_hourly: cannot be negative, and is -1", "gpu_hourly: is missing"]


def test_every_kind_of_the_published_list_is_there() -> None:
    """Those whose cases are checked elsewhere, too."""
    elsewhere = {
        "backfill_spend",
        "breakeven_spend",
        "lcpr_change_max",
        "provider_upkeep",
        "requests_for_spend",
    }
    assert {case["kind"] for case in GOLDEN} | elsewhere == set(CASES)
