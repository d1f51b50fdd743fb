"""`penstock route train|eval|tune`: routers and cascades from labelled rows."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from penstock.cli.files import DEFAULT_FILE, config_path

if TYPE_CHECKING:
    from penstock.cli.tuning import Written
    from penstock.config.document import Accept
    from penstock.inference.rows import Rows
    from penstock.inference.training import Embed

EXTRA = "this needs the extra `semantic`: pip install 'penstock[semantic]'"
_ROWS = click.argument("rows", type=click.Path(path_type=Path, exists=True, dir_okay=False))
_CHART = click.option("--chart", type=click.Path(path_type=Path), help="Write the curve as SVG.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def embed_or_say(wanted: bool) -> tuple[Embed | None, str]:
    """The installed embedder and its name; nothing where none is wanted."""
    if not wanted:
        return None, ""
    from penstock.adapters.embedder.onnx import OnnxEmbedder  # noqa: PLC0415
    from penstock.adapters.embedder.place import EmbedderMissingError, embedder_folder  # noqa: PLC0415
    from penstock.inference.training import MOST_TOKENS  # noqa: PLC0415

    try:
        embedder = OnnxEmbedder(embedder_folder(os.environ), most_tokens=MOST_TOKENS)
    except EmbedderMissingError as error:
        raise click.ClickException(f"{error}; or say --words to train without one") from None
    return embedder.embed, embedder.name


def guarded(work: Callable[[], None]) -> None:
    """Run it; what a user can mend becomes a sentence."""
    try:
        from penstock.inference.router_model import ModelFileError  # noqa: PLC0415
        from penstock.inference.rows import RowsError  # noqa: PLC0415
    except ImportError as error:
        raise click.ClickException(f"{EXTRA} ({error})") from None
    try:
        work()
    except (RowsError, ModelFileError, OSError) as error:
        raise click.ClickException(str(error)) from None


@click.command()
@_ROWS
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The model file to write.")
@click.option("--cheap", help="The cheap model's name in the rows.")
@click.option("--strong", help="The strong model's name in the rows.")
@click.option(
    "--held-out", default=0.2, type=click.FloatRange(0.05, 0.5), show_default=True, help="Share to measure on."
)
@click.option("--seed", default=0, show_default=True, help="Draws the held-out rows.")
@click.option("--words", is_flag=True, help="Look at words only: no embedder, a tenth of the time.")
@click.option("--trust-preferences", is_flag=True, help="Route by preferences, too; see the page.")
@_CHART
@_JSON
def train(
    rows: Path,
    output: Path,
    cheap: str | None,
    strong: str | None,
    held_out: float,
    seed: int,
    chart: Path | None,
    *,
    words: bool,
    trust_preferences: bool,
    as_json: bool,
) -> None:
    """Train a router from ROWS, a file of JSON lines, for the node `learned`.

    A row is {"prompt": …, "outcomes": {"MODEL": 0..1, …}, "costs": {"MODEL": usd, …}}, or a preference
    {"prompt": …, "a": MODEL, "b": MODEL, "winner": "a"|"b"|"tie"}. Rows with "answer" and "logprobs" of the
    cheap model give a scorer for `cascade`. Metrics are of rows that were held out, by the hash of their
    prompts.
    """

    def work() -> None:
        from penstock.adapters.tensor_file import write_atomically  # noqa: PLC0415
        from penstock.inference.evaluating import trained_and_measured  # noqa: PLC0415

        chosen = _chosen(rows, cheap, strong)
        embed, name = embed_or_say(not words)
        model, metrics = trained_and_measured(
            chosen, embed, name, held_out, seed, trust_preferences=trust_preferences
        )
        write_atomically(output, model.to_bytes())
        _tell(metrics, chart, f"{output.name}, held-out rows", as_json=as_json)
        if not as_json:
            click.echo(f"wrote {output}: a {model.about.kind} for {', '.join(model.about.models)}")

    guarded(work)


def _chosen(path: Path, cheap: str | None, strong: str | None) -> Rows:
    """The rows of the models that are meant, the cheap one first."""
    from penstock.inference.rows import RowsError, read_rows  # noqa: PLC0415

    rows = read_rows(path)
    if (cheap is None) != (strong is None):
        raise RowsError("--cheap and --strong go together")
    if cheap is not None and strong is not None:
        return rows.of_models((cheap, strong))
    if len(rows.models) == 2:
        raise RowsError(f"say which is which: --cheap and --strong of {', '.join(rows.models)}")
    return rows.of_models(rows.models)


@click.command(name="eval")
@click.argument("model", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_ROWS
@_CHART
@_JSON
def evaluate(model: Path, rows: Path, chart: Path | None, *, as_json: bool) -> None:
    """Measure the router in the file MODEL on labelled ROWS that it has not seen."""

    def work() -> None:
        from penstock.inference.evaluating import evaluated  # noqa: PLC0415
        from penstock.inference.router_model import router_from  # noqa: PLC0415
        from penstock.inference.rows import read_rows  # noqa: PLC0415

        router = router_from(model.read_bytes())
        found = read_rows(rows).of_models(router.about.models)
        embed, _ = embed_or_say(bool(router.about.embedder))
        _tell(evaluated(router, found, embed), chart, f"{model.name} on {rows.name}", as_json=as_json)

    guarded(work)


def _tell(told: dict[str, Any], chart: Path | None, title: str, *, as_json: bool) -> None:
    from penstock.inference.evaluating import curve_chart  # noqa: PLC0415

    if chart is not None:
        if "deciles" not in told:
            raise click.ClickException("a chart is drawn for two models")
        chart.write_text(curve_chart(told, title))
    if as_json:
        click.echo(json.dumps(told))
        return
    click.echo(
        f"{told['rows']} rows; " + ", ".join(f"{name} {value:.3f}" for name, value in told["quality"].items())
    )
    click.echo(told["why"])
    if "apgr" in told:
        reached = f"CPT(50 %) {told['cpt50']:.1f} %   CPT(80 %) {told['cpt80']:.1f} %"
        click.echo(f"APGR {told['apgr']:.3f} (random .500)   {reached}")
        click.echo("strong calls %  " + "".join(f"{share:>6}" for share in range(0, 101, 10)))
        click.echo("recovered %     " + "".join(f"{100 * value:>6.1f}" for value in told["deciles"]))
        click.echo("oracle %        " + "".join(f"{100 * value:>6.1f}" for value in told["oracle"]))
    else:
        click.echo(f"the router's choice reaches {told['chosen']:.3f}, the best choice {told['oracle']:.3f}")


@click.command()
@click.argument("name")
@click.option(
    "--data", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Labelled rows."
)
@click.option(
    "--quality",
    type=click.FloatRange(0, 1),
    help="The least mean quality; default: half a point below the last step.",
)
@click.option(
    "--cost", type=click.FloatRange(min=0, min_open=True), help="The most dollars for a request, on average."
)
@click.option("-c", "--config", "file", type=click.Path(path_type=Path), help="Configuration file.")
@_CHART
@_JSON
def tune(
    name: str,
    data: Path,
    quality: float | None,
    cost: float | None,
    file: Path | None,
    chart: Path | None,
    *,
    as_json: bool,
) -> None:
    """Pick the thresholds of the cascade of route NAME from labelled rows.

    A row is {"outcomes": {"TARGET": 0..1, …}, "costs": {"TARGET": usd, …}, "signals": {"TARGET": number, …}}
    with the targets of the cascade's steps; a signal is the number that the step's check sees (the mean log
    probability, a judge's grade, a scorer's score). The promise holds with 80 % confidence on rows not seen;
    where nothing does, nothing is tuned.
    """
    if quality is not None and cost is not None:
        raise click.UsageError("say --quality or --cost, not both")

    def work() -> None:
        from penstock.cli.tuning import tuned_text  # noqa: PLC0415

        click.echo(tuned_text(_steps_of(name, file), data, quality, cost, chart, as_json=as_json))

    guarded(work)


def _steps_of(name: str, file: Path | None) -> list[Written]:
    """A route's cascade, step by step."""
    from penstock.cli.tuning import Written  # noqa: PLC0415
    from penstock.config.document import CascadeNode, TargetNode  # noqa: PLC0415
    from penstock.config.load import ConfigError, load_file  # noqa: PLC0415

    path = config_path(file)
    if path is None:
        raise click.ClickException(f"no {DEFAULT_FILE} here; name a file with -c")
    try:
        document = load_file(path, os.environ)
    except ConfigError as error:
        raise click.ClickException(f"the configuration is not valid\n{error}") from None
    route = document.routes.get(name)
    if route is None or not isinstance(route.policy, CascadeNode):
        raise click.ClickException(f"{name!r} is no route whose policy is a cascade")
    steps: list[Written] = []
    for step in route.policy.steps:
        if not isinstance(step.use, TargetNode):
            raise click.ClickException("only cascades of plain targets can be tuned")
        target, fields = step.use.target, step.use.set
        use = f"{{use: {target}, set: {json.dumps(fields)}}}" if fields else target
        steps.append(Written(target, use, _check_of(step.accept)))
    return steps


def _check_of(accept: Accept | None) -> str:
    """The check of a step whose threshold is picked, up to its number."""
    if accept is not None and accept.judge is not None:
        return f"{{judge: {{route: {accept.judge.route}, min: "
    if accept is not None and accept.scorer is not None:
        return f"{{scorer: {{model: {accept.scorer.model}, min: "
    if accept is not None and accept.confidence is not None:
        return "{confidence: "
    least = accept is not None and accept.logprob is not None and accept.logprob.mean is None
    return "{logprob: {min: " if least else "{logprob: {mean: "
