"""`penstock check`: is this configuration valid?"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from penstock.cli.files import config_path
from penstock.compile.review import review
from penstock.config.load import ConfigError, load_file


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("-c", "--config", type=click.Path(path_type=Path), help="The same as FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(file: Path | None, config: Path | None, *, as_json: bool) -> None:
    """Read FILE (default penstock.yaml) and report everything that is wrong with it, each with its line."""
    path = config_path(file or config)
    if path is None:
        raise click.ClickException("no penstock.yaml here; name a file")
    try:
        document = load_file(path, os.environ)
    except ConfigError as error:
        if as_json:
            problems = [
                {"path": p.path, "line": p.line, "column": p.column, "message": p.message, "hint": p.hint}
                for p in error.problems
            ]
            click.echo(json.dumps({"file": str(path), "valid": False, "problems": problems}))
        else:
            click.echo(str(error), err=True)
        sys.exit(1)
    notices = review(document, datetime.now(UTC).date())
    if as_json:
        warnings = [{"path": each.path, "message": each.message} for each in notices]
        click.echo(json.dumps({"file": str(path), "valid": True, "problems": [], "warnings": warnings}))
        return
    for each in notices:
        click.echo(f"warning: {each}", err=True)
    click.echo(
        f"{path} is valid: {len(document.providers)} providers, {len(document.deployments)} deployments, "
        f"{len(document.routes)} routes, {len(document.keys)} keys"
    )
