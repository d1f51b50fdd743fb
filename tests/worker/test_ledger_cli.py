"""What people ask the ledger, and how it is made anew: logs, top, cost, ledger rebuild."""

import fcntl
import json
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from click.testing import CliRunner

from penstock.adapters.sqlite.ledger_read import SqliteReading
from penstock.bootstrap.state_dir import StateDir
from penstock.cli.cost import cost
from penstock.cli.files import sole_service
from penstock.cli.ledger import rebuild
from penstock.cli.logs import logs
from penstock.cli.top import top
from penstock.core.exchange import ExchangeSettled
from penstock.worker.main import run
from penstock.worker.settings import WorkerSettings
from tests.ledger.doubles import attempt, opened, settled
from tests.worker.doubles import project, write

SINCE = ["--since", "2020-01-01"]


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A ledger with a good, a retried, an unpriced and an interrupted exchange."""
    events = [
        *(opened(1), settled(1)),
        settled(2, [attempt(1, 7, "error"), attempt(2)]),
        settled(3, [attempt(1, None)]),
        opened(4),
    ]
    write(tmp_path, "b1", events)
    project(tmp_path)
    return tmp_path


def ask(command: click.Command, *arguments: str) -> str:
    """What a command prints."""
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_logs_print_an_object_a_line_with_the_contracted_keys(state_dir: Path) -> None:
    """Every key of the contract is there, in the units that their names say."""
    lines = [json.loads(line) for line in ask(logs, "--json", "--state-dir", str(state_dir)).splitlines()]
    contract = (
        "request_id ts org team key user route target attempts status outcome usage usage_source "
        "cost_nanousd price_card cache ttft_ms total_ms overhead_us session tags"
    )
    assert set(contract.split()) <= set(lines[0])
    assert {"input", "output", "cache_read", "cache_write", "reasoning"} <= set(lines[0]["usage"])
    first: dict[str, Any] = lines[0]
    assert (first["ts"], first["ttft_ms"], first["tags"]) == (
        "2026-09-21T14:13:20.000Z",
        0.7,
        {"feature": "search"},
    )
    assert [(each["outcome"], each["cost_nanousd"], each["usage_source"]) for each in lines] == [
        ("ok", 123, "reported"),
        ("ok", 130, "reported"),
        ("ok", None, "reported"),
        ("interrupted", 500, "estimated"),
    ]


def test_logs_limit_takes_the_newest_and_zero_takes_all(tmp_path: Path) -> None:
    """The last N by time, oldest first; `--since` cuts by time."""
    write(tmp_path, "b1", [settled(n, ts_ms=1_790_000_000_000 + n * 1_000) for n in range(60)])
    project(tmp_path)

    def numbers(*arguments: str) -> list[int]:
        output = ask(logs, "--json", "--state-dir", str(tmp_path), *arguments)
        return [int(json.loads(line)["request_id"][4:]) for line in output.splitlines()]

    assert numbers("--limit", "3") == [57, 58, 59]
    assert numbers("--limit", "0") == list(range(60))
    assert len(numbers()) == 50
    assert numbers("--since", "2026-09-21T14:14:18", "--limit", "0") == [58, 59]
    assert numbers("--since", "1s") == []


def test_tables_flag_what_is_unpriced_and_what_is_estimated(state_dir: Path) -> None:
    """A person reading a table sees that a sum is incomplete."""
    place = ["--state-dir", str(state_dir)]
    assert "unpriced" in ask(logs, *place)
    assert "~ estimated" in ask(logs, *place)
    assert "+ 1 unpriced" in ask(top, *SINCE, *place)
    text = ask(cost, "--by", "route,model,key,team,tag.feature", *SINCE, *place)
    assert "1 of 4 requests have no price" in text
    assert "search" in text
    assert "66.4%" in text


def test_cost_adds_up_by_any_name(state_dir: Path) -> None:
    """Lines sum to the total, and tags are names like any other."""
    arguments = ("--json", *SINCE, "--state-dir", str(state_dir))
    found = json.loads(ask(cost, "--by", "tag.feature,outcome", *arguments))
    assert (
        found["total"]["cost_nanousd"]
        == 123 + 130 + 500
        == sum(each["cost_nanousd"] for each in found["lines"])
    )
    assert found["total"]["unpriced"] == 1
    assert found["lines"][0]["group"] == {"tag.feature": "search", "outcome": "interrupted"}
    assert found["lines"][0]["estimated_nanousd"] == 500
    missing = json.loads(ask(cost, "--by", 'tag.no"such', *arguments))
    assert missing["lines"][0]["group"] == {'tag.no"such': ""}


def test_top_gives_nearest_rank_percentiles(tmp_path: Path) -> None:
    """Of latencies 1 to 100 ms the median is 50 and the 95th percentile 95."""
    numbers = range(1, 101)
    events = [msgspec.structs.replace(settled(number), total_us=number * 1_000) for number in numbers]
    write(tmp_path, "b1", events)
    project(tmp_path)
    (line,) = json.loads(ask(top, "--json", "--by", "route,key", *SINCE, "--state-dir", str(tmp_path)))
    assert line["group"] == {"route": "support", "key": "dev"}
    assert (line["requests"], line["errors"], line["p50_ms"], line["p95_ms"]) == (100, 0, 50, 95)


def test_wrong_questions_get_sentences(tmp_path: Path) -> None:
    """No ledger, an unknown grouping and an unreadable span say what to do."""
    runner = CliRunner()
    nowhere = runner.invoke(logs, ["--state-dir", str(tmp_path)])
    assert (nowhere.exit_code, "there is no ledger in" in nowhere.output) == (1, True)
    write(tmp_path, "b1", [settled(1)])
    project(tmp_path)
    grouping = runner.invoke(cost, ["--by", "colour", "--state-dir", str(tmp_path)])
    assert (grouping.exit_code, "'colour' is nothing to group by" in grouping.output) == (2, True)
    span = runner.invoke(top, ["--since", "yesterday", "--state-dir", str(tmp_path)])
    assert (span.exit_code, "neither a span" in span.output) == (2, True)


def test_the_state_directory_comes_from_the_configuration(state_dir: Path, tmp_path: Path) -> None:
    """`-c` needs only that one value; secrets in the file are not looked up."""
    file = tmp_path / "penstock.yaml"
    file.write_text(f"server: {{state_dir: {state_dir}}}\nproviders: {{p: {{api_key: '${{MISSING}}'}}}}\n")
    assert len(ask(logs, "--json", "-c", str(file)).splitlines()) == 4


def test_wait_blocks_until_the_worker_has_caught_up(tmp_path: Path) -> None:
    """What was journaled before the command is in its answer; without a worker it says so in time."""
    journal = write(tmp_path, "b1", [settled(number) for number in range(300)], close=False)
    late = CliRunner().invoke(logs, ["--wait", "--wait-timeout", "0.1", "--state-dir", str(tmp_path)])
    assert (late.exit_code, "did not catch up" in late.output) == (1, True)
    stop = threading.Event()
    worker = threading.Thread(target=run, args=(tmp_path, WorkerSettings(), stop), daemon=True)
    worker.start()
    output = ask(logs, "--json", "--limit", "0", "--wait", "--state-dir", str(tmp_path))
    stop.set()
    worker.join(timeout=20)
    journal.close()
    assert len(output.splitlines()) == 300


def test_the_ledger_is_rebuilt_from_the_journal(state_dir: Path) -> None:
    """As a sentence and as an object; the rows are those of before."""
    before = ask(logs, "--json", "--state-dir", str(state_dir))
    (state_dir / "ledger.db").unlink()
    done = json.loads(ask(rebuild, "--json", "--state-dir", str(state_dir)))
    assert done == {"records": 5, "exchanges": 4, "exchanges_before": None, "kept": None}
    after = ask(logs, "--json", "--state-dir", str(state_dir))
    assert [json.loads(line)["cost_nanousd"] for line in after.splitlines()] == [
        json.loads(line)["cost_nanousd"] for line in before.splitlines()
    ]
    text = ask(rebuild, "--state-dir", str(state_dir))
    assert "5 records of the journal gave 4 exchanges" in text
    assert f"the old ledger is kept as {state_dir / 'ledger.db.old'}" in text


def test_a_rebuild_names_the_rows_that_are_missing(state_dir: Path) -> None:
    """Rows of deleted segments are only in the old file, and nobody has to find that out later."""
    for path in (state_dir / "journal").iterdir():
        path.unlink()
    text = ask(rebuild, "--state-dir", str(state_dir))
    assert "4 exchanges of the old ledger are not in the new one" in text


def test_a_rebuild_refuses_while_somebody_uses_the_state(state_dir: Path, tmp_path: Path) -> None:
    """A running service, a running worker, and a folder without a journal each get a sentence."""

    def refused(place: Path) -> str:
        result = CliRunner().invoke(rebuild, ["--state-dir", str(place)])
        assert result.exit_code == 1
        return result.output

    state = StateDir(state_dir)
    state.create()
    with sole_service(state):
        assert "another `penstock serve` uses" in refused(state_dir)
    with (state_dir / "worker.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "stop it before rebuilding the ledger" in refused(state_dir)
    (tmp_path / "empty").mkdir()
    assert "there is no journal in" in refused(tmp_path / "empty")
    assert list((tmp_path / "empty").iterdir()) == []


def test_readers_cannot_write(state_dir: Path) -> None:
    """A question never changes the ledger."""
    reader = SqliteReading(state_dir / "ledger.db")
    database: sqlite3.Connection = vars(reader)["_db"]
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        database.execute("DELETE FROM exchanges")
    reader.close()


def test_the_gateways_side_imports_no_database() -> None:
    """Writing and replaying the journal, and pricing, leave sqlite3 and the catalogue out of the process."""
    code = (
        "import sys,penstock.ledger.journal.writer,penstock.ledger.accounts_replay,penstock.core.price_book"
        ",penstock.adapters.files.posix; print({'sqlite3', 'genai_prices', 'click'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


def reporting(number: int, *costs: tuple[int | None, int | None]) -> ExchangeSettled:
    """An exchange of attempts with (our cost, the reported one)."""
    attempts = [
        msgspec.structs.replace(attempt(at, ours), reported_cost_nanousd=told)
        for at, (ours, told) in enumerate(costs, 1)
    ]
    return settled(number, attempts)


def test_cost_reported_compares_ours_with_what_the_vendors_say(tmp_path: Path) -> None:
    """By model: both sums, the difference and its share; only exchanges of which all attempts report."""
    told = [reporting(1, (100, 110)), reporting(2, (100, 80), (200, 230)), reporting(3, (None, 50))]
    write(tmp_path, "b1", [*told, reporting(4, (1000, None), (1, 1)), settled(5)])
    project(tmp_path)
    place = (*SINCE, "--state-dir", str(tmp_path))
    found = json.loads(ask(cost, "--reported", "--json", *place))
    assert found["lines"] == [
        {
            "group": {"model": "gpt-4o"},
            "requests": 3,
            "unpriced": 1,
            "cost_nanousd": 400,
            "reported_nanousd": 420,
            "difference_nanousd": 20,
            "unpriced_reported_nanousd": 50,
        }
    ]
    by_target = json.loads(ask(cost, "--reported", "--json", "--by", "target", *place))
    assert by_target["lines"][0]["group"] == {"target": "openai/gpt-4o"}
    text = ask(cost, "--reported", *place)
    assert "+5.0%" in text
    assert "1 of 3 requests have no price of ours; their vendors report $0.00000005" in text
    lines = [json.loads(line) for line in ask(logs, "--json", *place).splitlines()]
    assert [each["reported_cost_nanousd"] for each in lines] == [110, 310, 50, None, None]


def test_cost_reported_says_so_where_no_vendor_reports(state_dir: Path) -> None:
    """An empty comparison is a sentence."""
    text = ask(cost, "--reported", *SINCE, "--state-dir", str(state_dir))
    assert text == "No answer carried a cost; OpenRouter's, xAI's and Perplexity's do.\n"
