"""`penstock metering export`, as whoever bills calls it every hour."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from penstock.cli.cost import cost
from penstock.cli.metering import metering
from penstock.core.exchange import Event
from penstock.worker.stores import LedgerPlace
from tests.ledger_stores.test_conformance import store_at
from tests.ledger_stores.test_metering import ACME, BETA, commit, exchange


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state directory with a ledger of five exchanges."""
    story: list[Event] = [
        exchange(n, ACME if n % 2 else BETA, n * 1_000_003, feature="=1+1") for n in range(1, 6)
    ]
    with store_at(LedgerPlace(tmp_path)) as store:
        commit(store, "a", story)
    return tmp_path


def export(folder: Path, *options: str) -> Result:
    """Run it."""
    return CliRunner().invoke(metering, ["export", "--state-dir", str(folder), *options])


def test_lines_have_exact_money_and_the_ledgers_sum(folder: Path) -> None:
    """Nano-dollars as integers, which add up to what `penstock cost` says."""
    found = [json.loads(line) for line in export(folder).stdout.splitlines()]
    assert [each["charged_nanousd"] for each in found] == [n * 1_000_003 for n in range(1, 6)]
    told = CliRunner().invoke(
        cost, ["--json", "--by", "org", "--since", "1970-01-01", "--state-dir", str(folder)]
    )
    total = json.loads(told.stdout)["total"]["cost_nanousd"]
    assert total == sum(each["charged_nanousd"] for each in found)


def test_a_file_remembers_how_far_it_came(folder: Path) -> None:
    """The next export has what is new, and nothing again."""
    mark = folder / "billing.cursor"
    first = export(folder, "--cursor-file", str(mark)).stdout.splitlines()
    assert len(first) == 5
    assert export(folder, "--cursor-file", str(mark)).stdout == ""
    with store_at(LedgerPlace(folder)) as store:
        commit(store, "b", [exchange(0), exchange(9)])
    again = [json.loads(line)["id"] for line in export(folder, "--cursor-file", str(mark)).stdout.splitlines()]
    assert len(again) == 2
    assert not set(again) & {json.loads(line)["id"] for line in first}


def test_csv_has_a_head_and_no_formulas(folder: Path) -> None:
    """One row each; a client's text that would be a formula is made harmless."""
    with store_at(LedgerPlace(folder)) as store:
        commit(store, "b", [exchange(7, replace(ACME, user="=cmd()"))])
    rows = list(csv.DictReader(io.StringIO(export(folder, "--format", "csv").stdout)))
    assert len(rows) == 6
    assert rows[-1]["user"] == "'=cmd()"
    assert json.loads(rows[0]["tags"]) == {"feature": "=1+1"}
    assert rows[0]["charged_nanousd"] == "1000003"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--tag", "nothing"), "NAME=VALUE"),
        (("--cursor", "nonsense"), "no cursor"),
        (("--cursor", "a", "--cursor-file", "b"), "not both"),
        (("--until", "soon"), "neither a span"),
    ],
)
def test_mistakes_are_told(folder: Path, options: tuple[str, ...], said: str) -> None:
    """A sentence and a status other than 0."""
    told = export(folder, *options)
    assert told.exit_code != 0
    assert said in told.output


def test_filters(folder: Path) -> None:
    """By organisation, tag and time."""
    assert len(export(folder, "--org", "beta").stdout.splitlines()) == 2
    assert len(export(folder, "--tag", "feature==1+1").stdout.splitlines()) == 5
    assert export(folder, "--until", "1980-01-01").stdout == ""
