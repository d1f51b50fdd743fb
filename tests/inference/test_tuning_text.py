"""What `penstock route tune` writes for the configuration, and the charts' axes."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from penstock.cli import main
from penstock.config.document import CascadeNode, Document
from penstock.config.document.policy import CascadeStep
from penstock.config.load import load_text
from penstock.inference.chart import Line, chart, ticks

CONFIG = """
version: 1
providers: {{up: {{kind: openai, base_url: "http://127.0.0.1:9/v1"}}}}
routes:
  grading: {{policy: up/grader}}
  asked: {{policy: {{cascade: [{{use: {use}, accept: {accept}}}, up/dear]}}}}
"""
STEPS = [
    ("{use: up/cheap, set: {logprobs: true}}", "{logprob: {mean: -0.1}}", "logprob"),
    ("up/cheap", "{logprob: {min: -2}}", "logprob"),
    ("up/cheap", "{judge: {route: grading}}", "judge"),
    ("up/cheap", "{confidence: 0.5}", "confidence"),
]


@pytest.mark.parametrize(("use", "accept", "check"), STEPS)
def test_what_is_tuned_can_be_written_into_the_file(tmp_path: Path, use: str, accept: str, check: str) -> None:
    """The steps that are printed are a cascade of the same targets and checks, with other numbers."""
    draw, rows = random.Random(1), tmp_path / "rows.jsonl"
    lines: list[str] = []
    for _ in range(400):
        signal = draw.random() if check != "logprob" else -draw.expovariate(8)
        right = draw.random() < (0.2 + 0.8 * signal if check != "logprob" else max(0.15, 1 + signal * 3))
        outcomes = {"up/cheap": int(right), "up/dear": int(draw.random() < 0.9)}
        costs = {"up/cheap": 0.0001, "up/dear": 0.002}
        lines.append(json.dumps({"outcomes": outcomes, "costs": costs, "signals": {"up/cheap": signal}}))
    rows.write_text("\n".join(lines))
    file = tmp_path / "penstock.yaml"
    file.write_text(CONFIG.format(use=use, accept=accept))
    told = CliRunner().invoke(main, ["route", "tune", "asked", "--data", str(rows), "-c", str(file)])
    assert told.exit_code == 0, told.output
    written = told.output.partition("cascade:\n")[2]
    assert check in written
    steps = "".join(f"          {line.strip()}\n" for line in written.splitlines())
    text = CONFIG.format(use="up/cheap", accept="{regex: a}").rsplit("  asked:", 1)[0]
    document = load_text(text + "  asked:\n    policy:\n      cascade:\n        steps:\n" + steps, {})
    before = load_text(CONFIG.format(use=use, accept=accept), {})
    assert steps_of(document)[0].use == steps_of(before)[0].use


def steps_of(document: Document) -> tuple[CascadeStep, ...]:
    """Of the route `asked`."""
    policy = document.routes["asked"].policy
    assert isinstance(policy, CascadeNode)
    return policy.steps


@given(st.lists(st.floats(-1e6, 1e6), max_size=20))
def test_axes_have_few_round_numbers_around_all_values(values: list[float]) -> None:
    """From below the least to above the greatest, at even distances."""
    found = ticks(values)
    assert 2 <= len(found) <= 12
    if values:
        assert found[0] <= min(values) + 1e-6 * abs(min(values)) + 1e-12
        assert found[-1] >= max(values) - 1e-6 * abs(max(values)) - 1e-12


def test_numbers_are_short_and_names_have_their_ground() -> None:
    """No axis shows 20.8, and a long name begins further to the left."""
    drawn = chart("T", "x", "y", [Line("a rather long name of a line", [(0, 0), (100, 104)])])
    assert ">20.8<" not in drawn
    assert ">75<" in drawn
    assert 'fill-opacity="0.9"' in drawn
