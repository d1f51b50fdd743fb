"""Explanations: what is printed is what would happen, for requests of any dialect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from penstock.cli.check import check

CONFIG = """
version: 1
providers:
  sim: {kind: simulator}
  eu: {kind: simulator, facts: {residency: [eu], source: contract, verified: 2026-05-01}}
deployments:
  cheap: {provider: eu, model: echo, price: {input: 0.1, output: 0.4}}
  strong: {provider: eu, model: echo, price: {input: 3, output: 15}}
  abroad: {provider: sim, model: echo, price: {input: 0.01, output: 0.02}}
routes:
  auto:
    policy:
      when:
        - {if: {key.tags.tier: enterprise}, use: strong}
        - {if: {images: true}, use: strong}
      else: {fallback: [{cheapest: [strong, abroad, cheap]}, {static: Sorry}]}
    require: {residency: eu}
  trial: {policy: {canary: {to: strong, percent: 30, from: cheap}}}
  drawn: {policy: {weighted: [{use: cheap, weight: 9}, {use: strong, weight: 1}]}}
  mixed: {policy: {fallback: [{easy: {simple: cheap, default: strong}}, {sticky: [cheap, strong]},
    {ab: [{use: cheap, name: a}, {use: strong, name: b}]}, {fastest: [cheap, strong]}]}}
keys:
  - {name: dev, secret: sk-dev-0123456789, org: acme}
  - {name: ent, secret: sk-ent-0123456789, org: acme, tags: {tier: enterprise}}
"""
CHAT = {"model": "auto", "messages": [{"role": "user", "content": "Hi"}]}
PICTURE = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration."""
    (tmp_path / "penstock.yaml").write_text(CONFIG)
    return tmp_path


def ask(folder: Path, body: dict[str, Any], *words: str) -> dict[str, Any]:
    """The explanation as JSON."""
    (folder / "request.json").write_text(json.dumps(body))
    paths = [str(folder / "penstock.yaml"), "--explain", str(folder / "request.json")]
    done = CliRunner().invoke(check, [*paths, "--json", *words])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def test_the_plan_and_the_reasons_are_told(folder: Path) -> None:
    """What is required drops a target, price orders the rest, and each says why."""
    told = ask(folder, CHAT, "--key", "dev")
    assert told["plan"] == ["cheap", "strong"]
    assert told["ends_with"] == "the fixed answer 'Sorry'"
    why = {each["target"]: each for each in told["targets"]}
    assert not why["abroad"]["kept"]
    assert "residency" in why["abroad"]["why"][0]
    assert why["cheap"]["place"] == 1
    cheapest = told["tree"]["children"][2]["children"][0]
    assert [child["why"][:13] for child in cheapest["children"]] == ["expected cost"] * 2


def test_keys_tags_and_users_count(folder: Path) -> None:
    """The same body goes elsewhere for another key; a canary goes by user."""
    assert ask(folder, CHAT, "--key", "ent")["plan"] == ["strong"]
    sides = {tuple(ask(folder, CHAT, "--route", "trial", "--user", f"u{at}")["plan"]) for at in range(12)}
    assert sides == {("cheap",), ("strong", "cheap")}


@pytest.mark.parametrize(
    ("body", "dialect", "plan"),
    [
        ({"model": "auto", "system": "s", "max_tokens": 9,
         "messages": [{"role": "user", "content": [PICTURE]}]},
         "anthropic", ["strong"]),
        ({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}, "gemini", ["cheap", "strong"]),
        ({"messages": [{"role": "user", "content": [{"text": "Hi"}]}], "inferenceConfig": {"maxTokens": 5}},
         "converse", ["cheap", "strong"]),
        ({"model": "auto", "input": "Hi", "instructions": "Be brief."}, "openai", ["cheap", "strong"]),
    ],
)  # fmt: skip
def test_any_dialect_is_read(folder: Path, body: dict[str, Any], dialect: str, plan: list[str]) -> None:
    """The body tells which API it is of."""
    told = ask(folder, body, "--route", "auto", "--key", "dev")
    assert (told["request"]["dialect"], told["plan"]) == (dialect, plan)


def test_chance_is_what_the_caller_says(folder: Path) -> None:
    """A draw beyond the first weight leads to the second child."""
    assert ask(folder, CHAT, "--route", "drawn", "--draw", "0.1")["plan"] == ["cheap", "strong"]
    assert ask(folder, CHAT, "--route", "drawn", "--draw", "0.95")["plan"] == ["strong", "cheap"]


def test_every_node_has_its_reasons_and_people_can_read_them(folder: Path) -> None:
    """The text names each node, the place of each child, and what became of each target."""
    (folder / "request.json").write_text(json.dumps(CHAT))
    words = [str(folder / "penstock.yaml"), "--explain", str(folder / "request.json"), "--route", "mixed"]
    done = CliRunner().invoke(check, words)
    assert done.exit_code == 0, done.output
    for part in ("route mixed: cheap → strong", "difficulty", "place 1 for this", "arm 'a'", "not known yet"):
        assert part in done.output


def test_what_cannot_be_explained_says_why(folder: Path) -> None:
    """An unknown key or route is an error of the command with the names that there are."""
    (folder / "request.json").write_text(json.dumps(CHAT))
    words = [str(folder / "penstock.yaml"), "--explain", str(folder / "request.json")]
    done = CliRunner().invoke(check, [*words, "--key", "nobody-here"])
    assert done.exit_code == 1
    assert "keys: dev, ent" in done.output
    done = CliRunner().invoke(check, [*words, "--route", "auot"])
    assert done.exit_code == 1
    assert "auto" in done.output
