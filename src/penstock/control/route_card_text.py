"""A route's card as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from penstock.control.route_card import Card
from penstock.core.requirements import RULES

_encode = msgspec.json.Encoder().encode


def route_card_text(card: Card) -> str:
    """The page."""
    return "\n".join(_lines(card)).rstrip() + "\n"


def _lines(card: Card) -> Iterator[str]:
    yield f"# Route `{card['route']}`"
    yield ""
    yield card["purpose"] or "*No purpose is written down: set `purpose`.*"
    yield ""
    yield f"Owner: {card['owner'] or '*nobody: set `owner`*'}. Made on {card['made']}."
    yield from _scope(card)
    yield from _targets(card)
    yield from _requirements(card)
    yield from _limits(card["limits"])
    yield from _quality(card)
    yield ""
    yield "## What is kept"
    yield from _table(
        ("where", "what", "days"),
        (
            (each["where"], each["what"], "unbounded" if each["days"] is None else each["days"])
            for each in card["kept"]
        ),
    )


def _scope(card: Card) -> Iterator[str]:
    yield ""
    yield "## Who may use it"
    keys = card["scope"]["keys"]
    if not keys:
        yield ""
        yield "No key of the file."
    else:
        yield from _table(
            ("key", "organisation", "team", "user"),
            ((each["key"], each["org"], each["team"], each["user"]) for each in keys),
        )
    tags = card["scope"]["tags_required"]
    if tags:
        yield ""
        yield f"Every request carries the tags {', '.join(tags)}."


def _targets(card: Card) -> Iterator[str]:
    yield ""
    yield "## Where requests go"
    yield ""
    yield "```json"
    yield msgspec.json.format(_encode(card["policy"]), indent=2).decode()
    yield "```"
    yield from _table(
        ("target", "vendor", "model", "address", "prices"),
        (
            (each["target"], each["kind"], each["model"], each["address"], each["price_card"] or "unknown")
            for each in card["targets"]
        ),
    )
    for each in card["targets"]:
        yield ""
        yield f"### Facts of `{each['target']}`"
        yield from _facts(each["facts"])
        for endpoint, facts in each["endpoints"].items():
            yield ""
            yield f"At its endpoint for {endpoint}:"
            yield from _facts({rule: fact for rule, fact in facts.items() if fact != each["facts"][rule]})
        for lever in each["parameters"]:
            sets = ", ".join(f"`{name}: {text}`" for name, text in lever["sets"].items())
            yield ""
            said = f"{lever['url']}, {lever['verified']}"
            yield f"{sets} would make {lever['rule']} {_value(lever['value'])} ({said})."


def _facts(facts: Card) -> Iterator[str]:
    rows = [(rule, facts[rule]) for rule in RULES if rule in facts]
    yield from _table(
        ("fact", "value", "source", "verified", "page"),
        (
            (rule, _value(fact["value"]), fact["source"], _dated(fact), fact["url"])
            if fact is not None
            else (rule, "not known", "", "", "")
            for rule, fact in rows
        ),
    )


def _dated(fact: Card) -> str:
    return f"{fact['verified']} (old)" if fact["old"] else fact["verified"]


def _requirements(card: Card) -> Iterator[str]:
    yield ""
    yield "## What is required"
    yield ""
    if not card["requirements"]:
        yield "Nothing."
    for each in card["requirements"]:
        rules = ", ".join(f"{name} {_value(value)}" for name, value in each.items() if name != "level")
        yield f"- {each['level']}: {rules}"
    if card["callers"]:
        yield from _table(("caller", "targets", "set for it"), (_caller(each) for each in card["callers"]))


def _caller(caller: Card) -> tuple[str, str, str]:
    who = "/".join(part for part in (caller["org"], caller["team"], caller["key"]) if part) or "everybody else"
    if caller["denied"]:
        return who, f"none: {caller['denied']}", ""
    sets = {f"`{name}: {text}`" for each in caller["targets"] for name, text in each["sets"].items()}
    return (
        who,
        ", ".join(each["target"] for each in caller["targets"]) or "a fixed text",
        ", ".join(sorted(sets)),
    )


def _limits(limits: Card) -> Iterator[str]:
    yield ""
    yield "## Limits"
    yield ""
    yield f"- Output of one answer: {limits['max_output_tokens']} tokens"
    yield f"- Times: {_pairs(limits['timeouts'])}"
    yield f"- Tries on one target: {_pairs(limits['retry'])}"
    yield f"- The route itself: {_bounds(limits['route'])}"
    for what, title in (("organisations", "Organisation"), ("teams", "Team"), ("keys", "Key")):
        for name, each in limits[what].items():
            yield f"- {title} {name}: {_bounds(each)}"


def _bounds(each: Card) -> str:
    parts = [part for part in (_pairs(each["limits"]), _budget(each["budget"])) if part]
    return "; ".join(parts) or "none of its own"


def _budget(budget: Card | None) -> str:
    return f"budget {budget['usd']} USD a {budget['window']}" if budget else ""


def _quality(card: Card) -> Iterator[str]:
    yield ""
    yield "## Guards, quality and speed"
    yield ""
    yield f"- Guards: {_pairs(card['guards']) or 'none'}"
    yield f"- Evaluation: {_pairs(card['evals']) or 'none'}"
    yield f"- An answer counts as a success where all of these hold: {', '.join(card['success'])}"
    yield f"- Objectives for latency: {_pairs(card['slo']) or 'none'}"


def _pairs(values: Card | None) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in (values or {}).items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(str, value))}]"  # pyright: ignore[reportUnknownArgumentType]
    return str(value)


def _table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(str(cell).replace('|', '/') for cell in row)} |"
