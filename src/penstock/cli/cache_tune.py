"""`penstock cache tune DATA`: what thresholds of the semantic cache give on pairs of one's own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from penstock.inference.cache_tuning import Tuned


@click.command("tune")
@click.argument("data", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--chart", "chart_file", type=click.Path(dir_okay=False, path_type=Path), help="Write an SVG chart."
)
@click.option(
    "--precision",
    type=click.FloatRange(0.5, 1.0),
    default=0.99,
    show_default=True,
    help="Share of hits that must be right.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def tune(data: Path, chart_file: Path | None, precision: float, as_json: bool) -> None:
    """Print precision and recall over thresholds.

    DATA has one JSON object a line: two questions `a` and `b`, and `same`: whether an answer to the one answers
    the other (true or false). Two hundred pairs say something, among them pairs that look alike and are not.
    """
    try:
        from penstock.adapters.embedder.onnx import OnnxEmbedder  # noqa: PLC0415 - an extra
        from penstock.adapters.embedder.place import EmbedderMissingError, embedder_folder  # noqa: PLC0415 - an extra
        from penstock.inference.cache_tuning import PairError, drawn, read_pairs, tuned  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise click.ClickException(f"{error}; run `pip install penstock[semantic]`") from None
    try:
        found = tuned(OnnxEmbedder(embedder_folder(os.environ)), read_pairs(data.read_text()), precision)
    except (EmbedderMissingError, PairError, OSError) as error:
        raise click.ClickException(str(error)) from None
    if chart_file is not None:
        chart_file.write_text(drawn(found))
    click.echo(json.dumps(found.as_json()) if as_json else _table(found))


def _table(found: Tuned) -> str:
    lines = [
        f"{found.pairs} pairs, {found.same} of which mean the same",
        "",
        f"{'threshold':>9}  {'similarity alone':>22}  {'with verify: words':>22}",
        f"{'':>9}  {'precision':>10}  {'recall':>10}  {'precision':>10}  {'recall':>10}",
    ]
    for alone, words in zip(found.alone, found.words, strict=True):
        lines.append(f"{alone.threshold:>9.2f}  {alone.shown:>22}  {words.shown:>22}")
    lines += ["", found.advice]
    return "\n".join(lines)
