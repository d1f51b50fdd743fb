"""`penstock cache diff`: what a change of a prompt does to the vendor's cache of it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import click
import msgspec

from penstock.adapters.prices.cache import load_book
from penstock.cli.files import config_path, state_dir
from penstock.compile.dry import dry_plan
from penstock.compile.targets import CompileError
from penstock.config.document import Document
from penstock.config.load import ConfigError, load_file, load_text
from penstock.core.chat import ChatRequest
from penstock.core.errors import Refusal, ShapeError
from penstock.core.money import format_usd, parse_usd
from penstock.core.prompt_cache import SHORT_S
from penstock.core.prompt_diff import PromptDifference, prompt_difference
from penstock.core.target import Target
from penstock.dialects.guessing import shape_of
from penstock.dialects.registry import chat_dialect
from penstock.providers.prompt_cache_rows import prompt_cache_rule
from penstock.providers.vendors import VENDORS
from penstock.routing.resolve import target_of

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MILLION = 1_000_000


@click.command("diff")
@click.argument("a", type=_FILE)
@click.argument("b", type=_FILE)
@click.option(
    "--model", help="A deployment of the configuration, or provider/model, for prices and least lengths."
)
@click.option(
    "--requests", type=click.IntRange(min=0), default=0, help="Requests in a month that use the prompt."
)
@click.option("--input-price", type=Decimal, help="Dollars per million input tokens, instead of the model's.")
@click.option("--cache-read-price", type=Decimal, help="The same for tokens that are read from the cache.")
@click.option(
    "--chars-per-token", type=click.FloatRange(1, 20), default=4.0, show_default=True,
    help="For the estimate of tokens; English text has about four.",
)  # fmt: skip
@click.option("--max-lost", type=click.IntRange(min=0), help="Exit with 1 where more tokens lose their cache.")
@click.option("-c", "--config", "file", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def diff(
    a: Path,
    b: Path,
    *,
    model: str | None,
    requests: int,
    input_price: Decimal | None,
    cache_read_price: Decimal | None,
    chars_per_token: float,
    max_lost: int | None,
    file: Path | None,
    as_json: bool,
) -> None:
    """Show where the common prefix of two prompts ends, and what that costs in a month.

    A and B are request bodies (JSON) in any API: the prompt as it is, and as it is to become. Vendors cache
    prefixes, so that what stands behind the first difference is paid for in full. With --max-lost, for use as a
    check on changes of prompts.
    """
    shape, before = _read(a)
    _, after = _read(b)
    target = _target(model, file) if model else None
    blocks = shape in ("anthropic", "converse")
    least = 1024
    if target is not None:
        rule = prompt_cache_rule(target, SHORT_S, always=False)
        if rule is not None:
            blocks, least = rule.style == "marks", rule.min_tokens
    found = prompt_difference(before, after, chars_per_token=chars_per_token, min_tokens=least, blocks=blocks)
    saved = _saved_per_million(target, input_price, cache_read_price)
    monthly = None if saved is None else found.lost_tokens * requests * saved // _MILLION
    if as_json:
        cost = None if monthly is None else format_usd(monthly)
        click.echo(
            json.dumps({**asdict(found), "min_tokens": least, "requests": requests, "usd_per_month": cost})
        )
    else:
        _show(found, least, requests, monthly)
    if max_lost is not None and found.lost_tokens > max_lost:
        if not as_json:
            click.echo(f"more than {max_lost} tokens lose their cache", err=True)
        sys.exit(1)


def _read(path: Path) -> tuple[str, ChatRequest]:
    try:
        body = msgspec.json.decode(path.read_bytes())
        if not isinstance(body, dict):
            raise click.ClickException(f"{path}: a request body is a JSON object")
        wish = cast("dict[str, Any]", body)
        shape = shape_of(wish)
        return shape, chat_dialect(shape).decode_request(wish, str(wish.get("model") or "model"), stream=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise click.ClickException(f"{path}: not JSON: {error}") from None
    except (ShapeError, Refusal) as error:
        raise click.ClickException(f"{path}: not a chat request: {error}") from None


def _target(model: str, file: Path | None) -> Target:
    path = config_path(file)
    try:
        document = load_file(path, os.environ) if path is not None else _alone(model)
        now_ms = int(datetime.now(UTC).timestamp() * 1000)
        book = load_book(state_dir(path, None).cache)
        plan = dry_plan(document, now_ms, book)
    except (ConfigError, CompileError) as error:
        raise click.ClickException(str(error)) from None
    found = plan.deployments.get(model)
    if found is not None:
        return found
    head, _, rest = model.partition("/")
    if head not in plan.providers or not rest:
        known = ", ".join([*plan.deployments, *[f"{name}/…" for name in plan.providers]])
        raise click.ClickException(
            f"no deployment and no provider/model is called {model!r}; there are {known}"
        )
    return target_of(plan.providers[head], rest, book, now_ms)


def _alone(model: str) -> Document:
    """Where there is no configuration: the vendor alone, for its published prices."""
    kind = model.partition("/")[0]
    if kind not in VENDORS:
        raise click.ClickException(f"without a configuration, name a --model as vendor/model, not {model!r}")
    return load_text(f"version: 1\nproviders: {{{kind}: {{kind: {kind}, api_key: none}}}}", {})


def _saved_per_million(target: Target | None, plain: Decimal | None, read: Decimal | None) -> int | None:
    """Nano-dollars per million tokens that a cached token is cheaper; None where a price is not known."""
    rates = target.card.rates if target is not None and target.card is not None else None
    full = parse_usd(plain) if plain is not None else rates.input if rates is not None else None
    cached = parse_usd(read) if read is not None else rates.cache_read if rates is not None else None
    return None if full is None or cached is None else max(0, full - cached)


def _show(found: PromptDifference, least: int, requests: int, monthly: int | None) -> None:
    if not found.where:
        click.echo(f"the prompts are the same: {found.common_tokens} tokens (estimated)")
        return
    click.echo(f"they part at {found.where}")
    if found.before or found.after:
        click.echo(f"  A: {found.before!r}\n  B: {found.after!r}")
    click.echo(
        f"common prefix: about {found.common_tokens} tokens in {found.common_blocks} whole blocks, of which "
        f"{found.cached_tokens} can stay cached (the vendor caches from {least} tokens on)"
    )
    click.echo(f"lose their cache: about {found.lost_tokens} of {found.stable_tokens} tokens that were to stay")
    if found.lost_tokens:
        click.echo("put what changes behind what stays: into a later block, best into the last message")
    if not requests:
        return
    if monthly is None:
        click.echo(
            "their cost is not known: name a --model with prices, or say --input-price, --cache-read-price"
        )
    else:
        click.echo(f"that costs about ${format_usd(monthly)} a month at {requests} requests")
