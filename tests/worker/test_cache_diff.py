"""`penstock cache diff`, as a user and as a check on changes of prompts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from penstock.cli.cache import cache

RULES = "Be kind. " * 800
CONFIG = """
version: 1
providers: {a: {kind: anthropic, api_key: k}}
deployments:
  claude: {provider: a, model: claude-haiku-4-5, price: {input: 1, output: 5, cache_read: 0.1}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with two prompts that differ in the middle."""
    monkeypatch.chdir(tmp_path)
    for name, day in (("a", "2026-11-20"), ("b", "2026-11-21")):
        _write(tmp_path / f"{name}.json", {"system": f"{RULES}{day}. {RULES}{RULES}", "messages": _hi()})
    return tmp_path


def _hi() -> list[dict[str, Any]]:
    return [{"role": "user", "content": "Hi"}]


def _write(path: Path, body: Any) -> None:
    path.write_text(json.dumps(body))


def _run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cache, ["diff", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_it_says_where_prompts_part_and_what_a_month_costs(folder: Path) -> None:
    """By the configuration's price: 5,402 tokens, a million times, at 0.9 dollars per million less."""
    (folder / "penstock.yaml").write_text(CONFIG)
    told = _run("a.json", "b.json", "--model", "claude", "--requests", "1000000")
    assert "they part at system[0], character 7209" in told
    assert "lose their cache: about 5403 of 5403 tokens" in told
    assert "the vendor caches from 4096 tokens on" in told
    assert "that costs about $4862.7 a month at 1000000 requests" in told
    assert "put what changes behind what stays" in told


def test_it_fails_a_check_where_too_much_is_lost(folder: Path) -> None:
    """Exit status 1 beyond --max-lost, 0 up to it; --json has the numbers."""
    assert "more than 100 tokens lose their cache" in _run("a.json", "b.json", "--max-lost", "100", code=1)
    found = json.loads(_run("a.json", "b.json", "--max-lost", "6000", "--json"))
    assert (found["lost_tokens"], found["usd_per_month"]) == (5403, None)
    _write(folder / "c.json", {"model": "gpt-5", "messages": [{"role": "system", "content": RULES}, *_hi()]})
    assert "the prompts are the same" in _run("c.json", "c.json", "--max-lost", "0")


def test_prices_can_be_said(folder: Path) -> None:
    """For models that no catalogue knows."""
    prices = ("--input-price", "2", "--cache-read-price", "0.5")
    told = _run("a.json", "b.json", *prices, "--requests", "1000")
    assert "that costs about $8.1045 a month" in told
    assert "their cost is not known" in _run(str(folder / "a.json"), "b.json", "--requests", "1000")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.json", "list.json"], "a request body is a JSON object"),
        (["a.json", "torn.json"], "not JSON"),
        (["a.json", "odd.json"], "not a chat request"),
        (["a.json", "b.json", "--model", "claude"], "name a --model as vendor/model"),
    ],
)
def test_mistakes_are_told(folder: Path, arguments: list[str], message: str) -> None:
    """With the file and what is wrong with it."""
    _write(folder / "list.json", [1])
    (folder / "torn.json").write_text('{"messages": [')
    _write(folder / "odd.json", {"messages": 7})
    assert message in _run(*arguments, code=1)
