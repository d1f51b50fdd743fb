"""Documents that are made from the code or from measurements are current."""

from __future__ import annotations

import json
from typing import Any

from bench.report.goals import RATIOS, ROWS
from scripts.generate_errors_doc import DOCS_FILE, errors_text
from scripts.generate_providers_doc import DOCS_FILE as PROVIDERS_FILE
from scripts.generate_providers_doc import providers_text
from scripts.readme_bench import MEASURES, README, RESULTS, filled, table


def test_the_list_of_errors_is_current() -> None:
    """Run scripts/generate_errors_doc.py after a change of core/errors.CODES."""
    assert DOCS_FILE.read_text("utf-8") == errors_text()


def test_the_table_of_providers_is_current() -> None:
    """Run scripts/generate_providers_doc.py after a change of a vendor's row."""
    assert PROVIDERS_FILE.read_text("utf-8") == providers_text()


def test_the_readme_shows_the_latest_measurements() -> None:
    """Run scripts/readme_bench.py after `make bench`."""
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else None
    readme = README.read_text("utf-8")
    assert filled(readme, results) == readme


def test_the_measures_are_those_of_the_benchmark() -> None:
    """An id that the benchmark does not write would stay open for ever; a goal that differs would mislead."""
    goals = {each.id: each.goal for each in (*ROWS, *RATIOS)}
    for name, _, goal, _ in MEASURES:
        assert goal.startswith(f"{goals[name]}"), name


def test_a_missed_goal_is_said_and_a_missing_measure_stays_open() -> None:
    """The table never flatters: what is not met or not taken can be seen."""
    results: dict[str, Any] = {
        "machine": {"date": "2026-01-01 10:00 UTC", "virtual": False, "cores": 2, "cpu": "Some CPU"},
        "targets": [
            {"id": "start", "value": 0.5, "n": 3, "target": "≤ 1", "met": True},
            {"id": "litellm.https", "value": 150.4, "n": 3, "target": "≥ 200", "met": False},
            {"id": "cpu.https", "value": None, "n": 0, "target": "≤ 85", "met": None},
        ],
    }
    text = table(results)
    assert "Measured on 2026-01-01 on a machine with 2 cores (Some CPU)." in text
    assert "| start to first answered request | ≤ 1 s | 0.50 s |" in text
    assert "| requests/s against LiteLLM's proxy, HTTPS upstream | ≥ 200 times | 150 times (missed) |" in text
    assert text.count("| - |") == len(MEASURES) - 2
