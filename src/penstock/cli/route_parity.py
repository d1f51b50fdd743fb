"""`penstock route parity`: do two hosts serve the same open weights?"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import httpx
import msgspec

from penstock.cli.files import config_path
from penstock.config.load import ConfigError, load_file
from penstock.core.parity import Answer, Parity, Token, parity

TIMEOUT_S = 120.0
MAX_TOKENS = 200
_PROMPTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("List the first twelve prime numbers, separated by commas.", ()),
    ("Translate into French: The train to the coast leaves at half past seven.", ()),
    ("What is 17 times 23? Answer with the number alone.", ()),
    ("Write a Python function that reverses the words of a sentence.", ()),
    ("Explain in two sentences why the sky is blue.", ()),
    ("Summarise the story of the tortoise and the hare in one sentence.", ()),
    ("Name the capitals of Kenya, Peru, Norway and Vietnam.", ()),
    ("Continue the sequence and explain it: 2, 6, 12, 20, 30.", ()),
    ("Rewrite politely: Send me the report now.", ()),
    ("What is the chemical formula of table salt, and what are its ions?", ()),
    ('Answer with one JSON object that has the keys "city" and "country": where is the Eiffel tower?',
     ("city", "country")),
    ('Answer with one JSON object that has the keys "name" and "legs": describe a spider.', ("name", "legs")),
    ("Spell the word rhythm backwards.", ()),
    ("If all bloops are razzies and all razzies are lazzies, are all bloops lazzies?", ()),
    ("Give three synonyms for quick, in alphabetical order.", ()),
    ("Convert 72 degrees Fahrenheit to Celsius and show the calculation.", ()),
)  # fmt: skip


@click.command("parity")
@click.argument("a")
@click.argument("b")
@click.option(
    "--api-key", envvar="PENSTOCK_KEY", required=True, help="A key with direct: true; or PENSTOCK_KEY."
)
@click.option("--url", default=None, help="The gateway; without it, server.listen of the configuration.")
@click.option(
    "--prompts", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="One prompt a line."
)
@click.option(
    "--max-tokens",
    type=click.IntRange(1, 8192),
    default=MAX_TOKENS,
    show_default=True,
    help="The most output tokens of an answer.",
)
@click.option("-c", "--config", "file", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def parity_command(
    a: str,
    b: str,
    api_key: str,
    url: str | None,
    prompts: Path | None,
    max_tokens: int,
    file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Compare the targets A and B, which claim to serve the same weights, before switching to one of them.

    Each prompt goes to A twice and to B once, at temperature 0, through the gateway, so that all of it is
    accounted. Compared are the answers, beside how often A agrees with itself; input tokens; log-probabilities
    where both have them; JSON where it was asked for; and speed. Exits with 1 where something speaks against.
    Lines of --prompts are texts, or JSON objects with `prompt` and, where the answer is to be JSON, its `keys`.
    """
    base = url or _listen(file)
    asked = _read(prompts) if prompts is not None else _PROMPTS
    rows: list[tuple[Answer, Answer, Answer, Sequence[str]]] = []
    with httpx.Client(
        base_url=base, timeout=TIMEOUT_S, headers={"authorization": f"Bearer {api_key}"}
    ) as client:
        for number, (prompt, keys) in enumerate(asked, 1):
            first, again, other = (_ask(client, name, prompt, max_tokens) for name in (a, a, b))
            rows.append((first, again, other, keys))
            if not as_json and sys.stderr.isatty():
                click.echo(f"\r{number}/{len(asked)}", err=True, nl=False)
    found = parity(rows)
    if as_json:
        click.echo(msgspec.json.encode({"a": a, "b": b, **msgspec.to_builtins(found)}))
    else:
        _show(a, b, found, rows)
    sys.exit(1 if found.findings else 0)


def _listen(file: Path | None) -> str:
    path = config_path(file)
    try:
        address = load_file(path, os.environ).server.listen if path is not None else "127.0.0.1:4000"
    except ConfigError as error:
        raise click.ClickException(f"the configuration is not valid\n{error}") from None
    return f"http://{address}"


def _read(path: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: list[tuple[str, tuple[str, ...]]] = []
    for line in path.read_text().splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            found.append((row["prompt"], tuple(row.get("keys", ()))))
        elif line.strip():
            found.append((line, ()))
    return tuple(found)


def _ask(client: httpx.Client, model: str, prompt: str, max_tokens: int) -> Answer:
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": prompt}],
        "temperature": 0,
        "seed": 1,
        "max_tokens": max_tokens,
        "logprobs": True,
    }
    begun = time.perf_counter()
    try:
        reply = client.post("/v1/chat/completions", json=body)
        if reply.status_code == 400:
            del body["logprobs"]
            reply = client.post("/v1/chat/completions", json=body)
        seconds = time.perf_counter() - begun
        if reply.status_code != 200:
            return Answer(error=f"status {reply.status_code}: {reply.text[:200]}")
        return _answer(reply.content, seconds)
    except httpx.HTTPError as error:
        raise click.ClickException(f"the gateway cannot be asked: {error}") from None


class _Logprobs(msgspec.Struct):
    content: list[Token] | None = None


class _Message(msgspec.Struct):
    content: str | None = None
    tool_calls: msgspec.Raw = msgspec.Raw(b"[]")


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Reply(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


def _answer(body: bytes, seconds: float) -> Answer:
    try:
        reply = msgspec.json.decode(body, type=_Reply)
        choice = reply.choices[0]
    except (msgspec.DecodeError, IndexError) as error:
        return Answer(error=f"no chat completion: {error}")
    usage = reply.usage or _Usage()
    return Answer(
        text=choice.message.content or "",
        finish=choice.finish_reason or "",
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        seconds=seconds,
        tokens=tuple(choice.logprobs.content or ()) if choice.logprobs is not None else (),
        tools=bytes(choice.message.tool_calls).decode(),
    )


def _show(a: str, b: str, found: Parity, rows: Sequence[tuple[Answer, Answer, Answer, Sequence[str]]]) -> None:
    def share(value: float | None, bounds: tuple[float, float]) -> str:
        return "-" if value is None else f"{value:.0%} ({bounds[0]:.0%} to {bounds[1]:.0%})"

    gap = f"{found.median_logprob_gap:.4f}" if found.median_logprob_gap is not None else "not given by both"
    prefix = f"{found.median_prefix:.0%}" if found.median_prefix is not None else "-"
    click.echo(f"{a} and {b}, {found.n} prompts")
    click.echo(f"  the same answer      {share(found.identical, found.identical_bounds)}; alike up to {prefix}")
    click.echo(f"  {a} agrees with itself  {share(found.own_identical, found.own_bounds)}")
    click.echo(f"  input tokens differ  {found.input_tokens_differ}")
    click.echo(f"  finish differs       {found.finish_differs}")
    click.echo(f"  log-probabilities    {gap}")
    for name, speed, seconds in (
        (a, found.tokens_per_s_a, found.median_s_a),
        (b, found.tokens_per_s_b, found.median_s_b),
    ):
        if speed is not None and seconds is not None:
            click.echo(f"  {name}: {speed:.0f} tokens/s, median {seconds:.2f} s")
    for first, _, other, _ in rows:
        for name, each in ((a, first), (b, other)):
            if each.error:
                click.echo(f"  {name}: {each.error}", err=True)
    for finding in found.findings:
        click.echo(f"! {finding}")
    if not found.findings:
        click.echo("nothing speaks against the same weights")
