"""`penstock guard`: which guards there are, and how well they find what they should."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import click

from penstock.cli.files import config_path
from penstock.compile.screens import Screens
from penstock.compile.targets import CompileError, no_proxy
from penstock.config.document import Document, Guard, Secret
from penstock.config.guard_kinds import KINDS, GuardKind, plugins
from penstock.config.load import ConfigError, load_file
from penstock.config.needs import LATER
from penstock.guardrails.cases import Case, CasesError, Report, measured, read_cases

_CONFIG = click.option("-c", "--config", type=click.Path(path_type=Path), help="Configuration file.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def guard() -> None:
    """List guards, and measure them on labelled cases."""


def _document(config: Path | None) -> Document:
    path = config_path(config)
    if path is None:
        return Document()
    try:
        return load_file(path, os.environ)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


@guard.command("list")
@_CONFIG
@_JSON
def show(config: Path | None, *, as_json: bool) -> None:
    """The guards of the configuration with the routes that use them, and the kinds that there are."""
    document = _document(config)
    guards = [_told(document, name, each) for name, each in document.guards.items()]
    kinds = sorted({*KINDS, *plugins()} - set(LATER))
    if as_json:
        click.echo(json.dumps({"guards": guards, "kinds": kinds}))
        return
    for told in guards:
        used = "; ".join([f"{side}: {', '.join(told[side])}" for side in ("input", "output") if told[side]])
        click.echo(f"{told['name']:<20} {told['kind']:<14} {told['action']:<7} {used or 'used by no route'}")
    click.echo(f"{'' if guards else 'no guards are configured; '}kinds: {', '.join(kinds)}")


def _told(document: Document, name: str, config: Guard) -> dict[str, Any]:
    kind = KINDS.get(config.kind, GuardKind())
    return {
        "name": name,
        "kind": config.kind,
        "action": config.action or kind.action,
        "on_error": config.on_error,
        "input": [route for route, each in document.routes.items() if name in each.guards.input],
        "output": [route for route, each in document.routes.items() if name in each.guards.output],
    }


@guard.command()
@click.argument("cases", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--guard", "only", multiple=True, help="This guard of the configuration; may stand several times."
)
@click.option("--kind", "kinds", multiple=True, help="A kind with its defaults, without any configuration.")
@click.option("--min-precision", type=click.FloatRange(0, 1), help="Fail below it.")
@click.option("--min-recall", type=click.FloatRange(0, 1), help="Fail below it.")
@_CONFIG
@_JSON
def test(
    cases: Path,
    only: tuple[str, ...],
    kinds: tuple[str, ...],
    min_precision: float | None,
    min_recall: float | None,
    config: Path | None,
    *,
    as_json: bool,
) -> None:
    """Look at labelled CASES and say how many findings were right, how many were missed, and how long it took.

    CASES has one JSON object a line: {"text": "…", "found": true} for whole texts, or {"text": "…", "spans":
    [{"start": 3, "end": 9, "kind": "EMAIL_ADDRESS"}]}; with "role", "guard" and "id" where they matter. Guards
    that ask somebody (webhook, judge, moderation) are left out. The exit code is 1 below a bound.
    """
    document = Document(guards={kind: Guard(kind=kind) for kind in kinds}) if kinds else _document(config)
    try:
        guards = Screens(document, _no_secret, "", no_proxy).local()
        read = list(read_cases(cases.read_bytes().splitlines()))
    except (CompileError, CasesError, OSError) as error:
        raise click.ClickException(str(error)) from None
    unknown = sorted(set(only) - {each.name for each in guards})
    if unknown:
        raise click.ClickException(f"no guard that asks nobody is called {unknown[0]!r}")
    chosen = [each for each in guards if not only or each.name in only]
    if not chosen:
        raise click.ClickException("there is no guard to measure: name a file with -c, or a kind with --kind")
    reports = [measured(each, read, time.perf_counter) for each in chosen]
    if as_json:
        click.echo(json.dumps([each.told() for each in reports]))
    else:
        _print(reports, read)
    if any(_below(each, min_precision, min_recall) for each in reports):
        sys.exit(1)


def _no_secret(secret: Secret) -> str:
    del secret
    return ""


def _below(report: Report, precision: float | None, recall: float | None) -> bool:
    pairs = ((report.whole.precision, precision), (report.whole.recall, recall))
    return any(bound is not None and value is not None and value < bound for value, bound in pairs)


def _print(reports: list[Report], cases: list[Case]) -> None:
    click.echo(f"{len(cases)} cases")
    click.echo(
        f"{'guard':<20} {'kind':<22} {'precision':>9} {'recall':>7} {'right':>6} {'wrong':>6} {'missed':>6}"
    )
    for report in reports:
        told = report.told()
        rows = [("", told), *told["kinds"].items()]
        for kind, row in rows:
            name = report.guard if not kind else ""
            shares = [
                f"{value:.3f}" if value is not None else "-" for value in (row["precision"], row["recall"])
            ]
            counts = f"{row['right']:>6} {row['wrong']:>6} {row['missed']:>6}"
            click.echo(f"{name:<20} {kind or report.kind:<22} {shares[0]:>9} {shares[1]:>7} {counts}")
        low, high = told["recall_ci95"] or (0.0, 0.0)
        took = f"p50 {told['p50_us']:.0f} µs, p99 {told['p99_us']:.0f} µs"
        failed = f", failed on {report.failed}" if report.failed else ""
        click.echo(f"{'':<20} recall 95 %: {low:.3f} to {high:.3f}; {took}{failed}")
        if report.wrong_ids:
            click.echo(f"{'':<20} went wrong: {', '.join(report.wrong_ids[:10])}")
