"""`penstock guard`: what there is, and how it does on labelled cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from penstock.cli import main
from penstock.core.detector import Role
from penstock.guardrails.cases import Case, CasesError, Span, measured, read_cases, wilson
from tests.guardrails.detecting import guard

CONFIG = """
version: 1
providers: {up: {kind: openai, base_url: "http://127.0.0.1:9/v1"}}
guards:
  three: {kind: regex, patterns: ['\\d{3}'], action: redact}
  hook: {kind: webhook, url: "http://127.0.0.1:9/x"}
  idle: {kind: keywords, words: [x]}
routes: {r: {policy: up/m, guards: {input: [three, hook], output: [three]}}}
"""
CASES = [
    {"id": "a", "text": "call 123", "spans": [{"start": 5, "end": 8, "kind": "PATTERN"}]},
    {"id": "b", "text": "call 456 or 12", "spans": [{"start": 5, "end": 8}, {"start": 12, "end": 14}]},
    {"id": "c", "text": "789", "found": False},
    {"id": "d", "text": "none", "found": False},
    {"id": "e", "text": "0", "found": True, "guard": "other"},
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A configuration and cases."""
    config, cases = tmp_path / "penstock.yaml", tmp_path / "cases.jsonl"
    config.write_text(CONFIG)
    cases.write_text("\n".join([json.dumps(each) for each in CASES]) + "\n")
    return str(config), str(cases)


def test_guards_are_listed_with_their_routes(files: tuple[str, str]) -> None:
    """Each with its action, and where it is used; kinds that are not built are not offered."""
    told = json.loads(CliRunner().invoke(main, ["guard", "list", "--json", "-c", files[0]]).output)
    three, hook, idle = told["guards"]
    assert (three["action"], three["input"], three["output"]) == ("redact", ["r"], ["r"])
    assert (hook["action"], hook["on_error"]) == ("block", "closed")
    assert idle["input"] == idle["output"] == []
    assert "regex" in told["kinds"]
    assert "used by no route" in CliRunner().invoke(main, ["guard", "list", "-c", files[0]]).output


def test_a_guard_is_measured_on_cases(files: tuple[str, str]) -> None:
    """Spans count by overlap and kind, whole texts by whether anything was found."""
    run = CliRunner().invoke(main, ["guard", "test", files[1], "-c", files[0], "--guard", "three", "--json"])
    (told,) = json.loads(run.output)
    assert run.exit_code == 0
    assert (told["cases"], told["right"], told["wrong"], told["missed"]) == (4, 2, 1, 1)
    assert told["precision"] == told["recall"] == pytest.approx(2 / 3)
    assert told["wrong_ids"] == ["b", "c"]
    assert told["kinds"]["ANY"]["recall"] == 0.5


def test_a_bound_fails_the_command(files: tuple[str, str]) -> None:
    """For CI: below the asked precision or recall the exit code is 1, and the table says why."""
    asked = ["guard", "test", files[1], "-c", files[0], "--guard", "three", "--min-recall"]
    assert CliRunner().invoke(main, [*asked, "0.5"]).exit_code == 0
    run = CliRunner().invoke(main, [*asked, "0.9"])
    assert run.exit_code == 1
    assert "went wrong: b, c" in run.output


def test_a_kind_is_measured_without_a_configuration(files: tuple[str, str], tmp_path: Path) -> None:
    """By its defaults; one that needs options says what is missing."""
    cases = tmp_path / "mail.jsonl"
    cases.write_text('{"text":"to joe@example.com","spans":[{"start":3,"end":18,"kind":"EMAIL_ADDRESS"}]}\n')
    run = CliRunner().invoke(main, ["guard", "test", str(cases), "--kind", "pii", "--json"])
    assert json.loads(run.output)[0]["kinds"]["EMAIL_ADDRESS"]["recall"] == 1.0
    bad = CliRunner().invoke(main, ["guard", "test", files[1], "--guard", "nobody", "-c", files[0]])
    assert bad.exit_code == 1
    assert "no guard that asks nobody is called 'nobody'" in bad.output


@pytest.mark.parametrize("line", [b"{}", b'{"text":"a"}', b'{"text":"a","found":true,"spans":[]}', b"no"])
def test_a_line_that_is_no_case_is_named(line: bytes) -> None:
    """With its number."""
    with pytest.raises(CasesError, match="line 2"):
        list(read_cases([b'{"text":"a","found":true}', line]))


def test_roles_and_shares_are_told_apart() -> None:
    """A guard is not measured on texts that it does not look at; of nothing there is no share."""
    cases = [Case("123", spans=(Span(0, 3),), role="system")]
    only = guard(r"\d+")
    only.roles = frozenset[Role]({"user"})
    report = measured(only, cases, lambda: 0.0)
    assert report.whole.cases == 0
    assert report.whole.recall is None
    assert wilson(0, 0) is None
    low, high = wilson(9, 10) or (0.0, 0.0)
    assert 0.55 < low < 0.9 < high < 1.0
