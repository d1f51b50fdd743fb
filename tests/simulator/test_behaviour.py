"""Names and what they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.simulator.behaviour import (
    ECHO,
    NAMES,
    Behaviour,
    behaviour_of,
    is_known,
    names_as_markdown,
    names_as_text,
)

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.example)
def test_every_example_of_the_table_is_a_known_name(name: object) -> None:
    """Each row's example parses, and all but `echo` change something."""
    example = getattr(name, "example", "")
    assert is_known(example)
    assert (behaviour_of(example) == ECHO) == (example == "echo")


def test_words_combine_and_later_ones_win() -> None:
    """`+` joins words; of two that set the same field the later one holds."""
    assert behaviour_of("slow-500ms+tokens-200") == Behaviour(text="tokens", tokens=200, delay_s=0.5)
    assert behaviour_of("slow-500ms+slow-2s").delay_s == 2.0


@pytest.mark.parametrize(
    "model", ["gpt-4o", "", "error-299", "error-6000", "slow-", "flaky-2", "tokens-x", "++"]
)
def test_an_unknown_name_behaves_as_echo(model: str) -> None:
    """Whatever is not in the table, bounds included, changes nothing."""
    assert behaviour_of(model) == ECHO
    assert not is_known(model)


def test_a_provider_prefix_is_ignored() -> None:
    """`sim/error-429` is `error-429`: a gateway may send either."""
    assert behaviour_of("sim/error-429") == behaviour_of("error-429") == Behaviour(status=429)


def test_a_name_builds_on_the_defaults() -> None:
    """What flags set holds where the name is silent."""
    flags = Behaviour(ttft_s=0.1, text="tokens", tokens=7)
    assert behaviour_of("itl-20ms", flags) == Behaviour(ttft_s=0.1, itl_s=0.02, text="tokens", tokens=7)
    assert behaviour_of("echo+ttft-0ms", flags) == Behaviour(tokens=7)


def test_the_documentation_has_the_table_as_it_is() -> None:
    """docs/simulator.md holds the generated table, neither older nor edited by hand."""
    assert names_as_markdown() in (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
    assert all(name.form in names_as_text() for name in NAMES)
