"""`penstock simulate`: an upstream without a model."""

from __future__ import annotations

import json
import sys

import click

from penstock.simulator import Behaviour, Settings, Simulator, behaviour_of, run
from penstock.simulator.behaviour import NAMES, is_known, names_as_text

_EPILOG = (
    "\b\nBehaviour by model name; join words with + (slow-500ms+tokens-200).\n"
    "<t> is a duration such as 500ms or 2s, <share> lies in 0..1. Any other name behaves as echo.\n\n\b\n"
    + names_as_text()
)


def _listen(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise click.BadParameter("say HOST:PORT, for example 127.0.0.1:8080 (port 0: a free one)")
    return host.strip("[]"), int(port)


def _behaviour(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if value and not is_known(value):
        raise click.BadParameter(f"{value!r} is not in the list below; see --help")
    return value


def _defaults(
    *, behaviour: str, ttft_ms: float, itl_ms: float, jitter: float, tokens: int, error_rate: float
) -> Behaviour:
    flags = Behaviour(
        text="tokens" if tokens else "echo",
        tokens=tokens,
        ttft_s=ttft_ms / 1000,
        itl_s=itl_ms / 1000,
        jitter=jitter,
        flaky=error_rate,
    )
    return behaviour_of(behaviour, flags) if behaviour else flags


@click.command(epilog=_EPILOG)
@click.option(
    "--listen",
    default="127.0.0.1:0",
    show_default=True,
    callback=_listen,
    help="HOST:PORT; port 0: a free one.",
)
@click.option("--seed", default=0, show_default=True, help="Decides every answer and every draw.")
@click.option("--ttft-ms", default=0.0, type=click.FloatRange(min=0), help="Time to the first event.")
@click.option("--itl-ms", default=0.0, type=click.FloatRange(min=0), help="Time between two events.")
@click.option("--jitter", default=0.0, type=click.FloatRange(0, 1), help="Each wait varies by ± this share.")
@click.option(
    "--tokens", default=0, type=click.IntRange(min=0), help="Answer with so many tokens instead of echoing."
)
@click.option(
    "--error-rate", default=0.0, type=click.FloatRange(0, 1), help="Share of requests that fail with 500."
)
@click.option("--behaviour", default="", callback=_behaviour, help="How unnamed models behave: a name below.")
@click.option("--api-key", default="", envvar="PENSTOCK_SIMULATE_API_KEY", help="Demand this bearer key.")
@click.option("--tls-cert", default="", type=click.Path(), help="Certificate file (PEM): speak TLS.")
@click.option("--tls-key", default="", type=click.Path(), help="The certificate's key file (PEM).")
@click.option("--list", "list_names", is_flag=True, help="Print the behaviour names and stop.")
@click.option("--json", "as_json", is_flag=True, help='Print {"url": …} (with --list: the names) as one line.')
def simulate(
    *,
    listen: tuple[str, int],
    seed: int,
    ttft_ms: float,
    itl_ms: float,
    jitter: float,
    tokens: int,
    error_rate: float,
    behaviour: str,
    api_key: str,
    tls_cert: str,
    tls_key: str,
    list_names: bool,
    as_json: bool,
) -> None:
    """Serve an upstream without a model, until interrupted.

    It speaks the APIs of OpenAI, Anthropic, Gemini and Bedrock Converse. Answers are deterministic; the
    model's name says how to behave. POST /script adds faults, GET /requests tells what was received, GET
    /healthz whether it is up.
    """
    if list_names:
        names = [{"name": n.form, "example": n.example, "meaning": n.meaning} for n in NAMES]
        click.echo(json.dumps(names) if as_json else names_as_text())
        return
    if bool(tls_cert) != bool(tls_key):
        raise click.UsageError("--tls-cert and --tls-key go together")
    settings = Settings(
        seed=seed,
        defaults=_defaults(
            behaviour=behaviour,
            ttft_ms=ttft_ms,
            itl_ms=itl_ms,
            jitter=jitter,
            tokens=tokens,
            error_rate=error_rate,
        ),
        api_key=api_key,
    )
    certificate = (tls_cert, tls_key) if tls_cert else None

    def ready(url: str) -> None:
        click.echo(json.dumps({"url": url}) if as_json else f"Simulator at {url}/v1 (Ctrl-C to stop)")
        sys.stdout.flush()

    try:
        run(Simulator(settings, host=listen[0], port=listen[1], certificate=certificate), ready)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {listen[0]}:{listen[1]}: {error}") from error


if __name__ == "__main__":
    simulate()
