"""`penstock lcpr`: the Loaded Cost Per Request, from assumptions."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, cast

import click

from penstock.economics.cases import UnknownKindError, outputs
from penstock.economics.exact import InvalidInputError
from penstock.economics.lcpr import GpuOffer, Lcpr, TokenOffer, Workload
from penstock.economics.lcpr import lcpr as lcpr_of


@click.group()
def lcpr() -> None:
    """What a successful answer costs, with retries, repair and engineering in it.

    A price by tokens is what a request costs that works at once. Some are tried again, some answers do not pass
    and are repaired, somebody looks after all of it: LCPR is all of that, divided by the answers that passed.
    """


@lcpr.command()
@click.option("--requests", required=True, type=float, help="Requests in a month, retries not counted.")
@click.option("--in-tok", required=True, type=float, help="Input tokens of a request.")
@click.option("--out-tok", default=400.0, show_default=True, type=float, help="Output tokens of an answer.")
@click.option("--in-rate", type=float, help="Dollars per million input tokens.")
@click.option("--out-rate", type=float, help="Dollars per million output tokens.")
@click.option(
    "--cached-rate", type=float, help="Dollars per million input tokens read from the vendor's cache."
)
@click.option("--cache-hit", default=0.0, type=float, help="Share of input read from there, 0 to 1.")
@click.option("--gpu-hourly", type=float, help="Instead of rates: dollars for a GPU by the hour.")
@click.option("--gpu-tps", default=1500.0, show_default=True, type=float, help="Output tokens a second of one.")
@click.option("--utilization", default=0.4, show_default=True, type=float, help="Share of time it is busy.")
@click.option("--retry-rate", default=0.03, show_default=True, type=float, help="Retries per request.")
@click.option("--pass-rate", default=0.95, show_default=True, type=float, help="Share of answers that pass.")
@click.option("--repair-usd", default=0.002, show_default=True, type=float, help="Cost of one that does not.")
@click.option("--eng-hours", default=8.0, show_default=True, type=float, help="Engineering hours a month.")
@click.option("--eng-rate", default=100.0, show_default=True, type=float, help="Dollars an hour.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def compute(*, as_json: bool, **given: Any) -> None:
    """Compute the LCPR of one workload at one price. All inputs are assumptions, and the result says so."""
    try:
        workload = Workload(
            given["requests"], given["in_tok"], given["out_tok"], given["retry_rate"], given["pass_rate"],
            given["repair_usd"], given["eng_hours"], given["eng_rate"],
        )  # fmt: skip
        found = lcpr_of(workload, _offer(given))
    except InvalidInputError as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(_numbers(found)) if as_json else _table(found))


def _offer(given: dict[str, Any]) -> TokenOffer | GpuOffer:
    if given["gpu_hourly"] is not None:
        if given["in_rate"] is not None or given["out_rate"] is not None:
            raise InvalidInputError("gpu_hourly", "say a price by the hour or rates by tokens, not both")
        return GpuOffer(given["gpu_hourly"], given["gpu_tps"], given["utilization"])
    if given["in_rate"] is None or given["out_rate"] is None:
        raise InvalidInputError("in_rate", "say --in-rate and --out-rate, or --gpu-hourly")
    return TokenOffer(given["in_rate"], given["out_rate"], given["cached_rate"], given["cache_hit"])


def _numbers(found: Lcpr) -> dict[str, Any]:
    return {
        "raw_usd": float(found.raw_usd),
        "lcpr_usd": float(found.lcpr_usd),
        "monthly_usd": float(found.monthly_usd),
        "tokens_usd": float(found.tokens_usd),
        "repair_usd": float(found.repair_usd),
        "engineering_usd": float(found.engineering_usd),
        "overhead_ratio": None if found.overhead is None else float(found.overhead),
        "gpus": found.gpus,
        "confidence": "assumed",
    }


def _table(found: Lcpr) -> str:
    served = "tokens" if found.gpus is None else f"{found.gpus} GPU{'s' if found.gpus > 1 else ''}"
    overhead = "" if found.overhead is None else f", {float(found.overhead):.2f} times the raw price"
    return "\n".join(
        [
            f"raw price of a request         ${float(found.raw_usd):.6f}",
            f"loaded cost per success        ${float(found.lcpr_usd):.6f}{overhead}",
            "",
            f"a month, {served:<21} ${float(found.tokens_usd):,.2f}",
            f"         repair                ${float(found.repair_usd):,.2f}",
            f"         engineering           ${float(found.engineering_usd):,.2f}",
            f"         together              ${float(found.monthly_usd):,.2f}",
            "",
            "every input is assumed: a hypothesis until three months of it are reconciled with invoices",
        ]
    )


@lcpr.command("case")
@click.option(
    "--json", "file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A list of cases, or one a line: {id, kind, inputs}.",
)  # fmt: skip
def case_command(file: Path) -> None:
    """Work out cases by kind, and print {id, outputs} for each, one a line.

    A case that cannot be worked out gets {id, error} instead, and the command exits with 1.
    """
    failed = False
    for case in _cases(file):
        try:
            told = {"id": case.get("id"), "outputs": outputs(str(case.get("kind")), _inputs(case))}
        except (UnknownKindError, InvalidInputError, TypeError, ValueError) as error:
            told, failed = {"id": case.get("id"), "error": str(error)}, True
        click.echo(json.dumps(told))
    if failed:
        sys.exit(1)


def _inputs(case: dict[str, Any]) -> dict[str, Any]:
    inputs = case.get("inputs")
    if not isinstance(inputs, dict):
        raise InvalidInputError("inputs", "must be an object")
    return cast("dict[str, Any]", inputs)


def _cases(file: Path) -> list[dict[str, Any]]:
    text = file.read_text()
    try:
        try:
            value: Any = json.loads(text)
        except ValueError:
            value = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise click.ClickException(f"{file}: not JSON: {error}") from None
    found = cast("list[Any]", value) if isinstance(value, list) else [value]
    if not all(isinstance(each, dict) for each in found):
        raise click.ClickException(f"{file}: each case is an object with id, kind and inputs")
    return cast("list[dict[str, Any]]", found)
