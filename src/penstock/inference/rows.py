"""Labelled rows that routers and cascades learn from: a prompt, and how well each model did on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class RowsError(ValueError):
    """The rows cannot be learnt from; the sentence names the line."""


@dataclass(frozen=True, slots=True)
class Rows:
    """`quality` (rows, models) is 0 to 1, `cost` the same in US dollars; NaN where a model was not asked.

    `answers` are what a first, cheap model said, with the log probabilities of its tokens where they are known:
    what a scorer of answers learns from. None where only prompts are looked at. `preferences`: somebody liked
    one answer better; nobody said whether it was right.
    """

    prompts: tuple[str, ...]
    models: tuple[str, ...]
    quality: Floats
    cost: Floats
    answers: tuple[tuple[str, tuple[float, ...]], ...] | None = None
    preferences: bool = False

    def __len__(self) -> int:
        return len(self.prompts)

    def take(self, chosen: NDArray[Any]) -> Rows:
        """Those rows, by indices or by a mask."""
        places: list[int] = np.arange(len(self.prompts))[chosen].tolist()
        prompts = tuple(self.prompts[i] for i in places)
        answers = tuple(self.answers[i] for i in places) if self.answers is not None else None
        quality, cost = self.quality[places], self.cost[places]
        return Rows(prompts, self.models, quality, cost, answers, self.preferences)

    def of_models(self, models: Sequence[str]) -> Rows:
        """Only these models, in this order, and only rows that know all of them. Raises RowsError."""
        unknown = [name for name in models if name not in self.models]
        if unknown:
            raise RowsError(f"the rows know no model {unknown[0]!r}; they know {', '.join(self.models)}")
        columns = [self.models.index(name) for name in models]
        quality = self.quality[:, columns]
        kept = np.flatnonzero(~np.isnan(quality).any(axis=1))
        cost = self.cost[:, columns]
        return Rows(self.prompts, tuple(models), quality, cost, self.answers, self.preferences).take(kept)

    def digest(self) -> str:
        """SHA-256 over prompts and outcomes: which data a model was trained on."""
        found = hashlib.sha256()
        for prompt, values in zip(self.prompts, self.quality.tolist(), strict=True):
            found.update(json.dumps([prompt, dict(zip(self.models, values, strict=True))]).encode())
        return found.hexdigest()


def share_of(prompt: str, salt: str) -> float:
    """Where a prompt falls in [0, 1): equal prompts fall together, so that none stands in two parts."""
    seen = hashlib.sha256(f"{salt}\0{prompt.strip()}".encode()).digest()
    return int.from_bytes(seen[:7], "big") / (1 << 56)


def split(rows: Rows, held_out: float, salt: str) -> tuple[Rows, Rows]:
    """Two parts by the hash of the prompt: what is learnt from, and what is only measured on."""
    away = np.array([share_of(prompt, salt) < held_out for prompt in rows.prompts], bool)
    return rows.take(~away), rows.take(away)


def read_rows(path: Path) -> Rows:
    """A file of JSON lines. Raises RowsError.

    Each is `{prompt, outcomes: {model: 0..1}, costs?: {model: usd}}`, or a preference `{prompt, a, b, winner:
    a|b|tie}`; rows for scorers also have `answer` and `logprobs` of the cheap model.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RowsError(f"{path} cannot be read: {error}") from None
    return rows_from(_parsed(path, lines))


def _parsed(path: Path, lines: list[str]) -> Iterable[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise RowsError(f"{where}: not JSON: {error}") from None
        if not isinstance(row, dict):
            raise RowsError(f"{where}: expected an object with prompt and outcomes")
        yield where, row


def rows_from(found: Iterable[tuple[str, dict[str, Any]]]) -> Rows:
    """From parsed rows, each with where it stands. Raises RowsError."""
    prompts: list[str] = []
    outcomes: list[dict[str, float]] = []
    costs: list[dict[str, float]] = []
    answers: list[tuple[str, tuple[float, ...]]] = []
    preferences = False
    for where, row in found:
        if not isinstance(row.get("prompt"), str):
            raise RowsError(f"{where}: `prompt` must be a text")
        prompts.append(row["prompt"])
        preferences = preferences or "winner" in row
        outcomes.append(_outcomes(where, row))
        costs.append(_numbers(where, row.get("costs", {}), "costs"))
        if isinstance(row.get("answer"), str):
            answers.append((row["answer"], _logprobs(where, row.get("logprobs", []))))
    if not prompts:
        raise RowsError("there are no rows")
    models = tuple(sorted({name for each in outcomes for name in each}))
    nan = float("nan")
    quality = np.array([[each.get(name, nan) for name in models] for each in outcomes], np.float64)
    cost = np.array([[each.get(name, nan) for name in models] for each in costs], np.float64)
    if answers and len(answers) != len(prompts):
        raise RowsError("some rows have an `answer` and some have none; give it to all or to none")
    return Rows(tuple(prompts), models, quality, cost, tuple(answers) or None, preferences)


def _logprobs(where: str, value: Any) -> tuple[float, ...]:
    if not isinstance(value, list) or not all(isinstance(each, int | float) for each in value):  # pyright: ignore[reportUnknownVariableType]
        raise RowsError(f"{where}: `logprobs` is a list of numbers, one for each token of the answer")
    return tuple(float(each) for each in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _outcomes(where: str, row: dict[str, Any]) -> dict[str, float]:
    if "winner" in row:
        one, other, winner = row.get("a"), row.get("b"), row["winner"]
        if not isinstance(one, str) or not isinstance(other, str) or winner not in {"a", "b", "tie"}:
            raise RowsError(f"{where}: a preference has a and b (models) and winner: a, b or tie")
        return {one: {"a": 1.0, "b": 0.0, "tie": 0.5}[winner], other: {"a": 0.0, "b": 1.0, "tie": 0.5}[winner]}
    outcomes = _numbers(where, row.get("outcomes"), "outcomes")
    if not outcomes:
        raise RowsError(f"{where}: `outcomes` names no model")
    if any(not 0 <= value <= 1 for value in outcomes.values()):
        raise RowsError(f"{where}: outcomes lie in 0..1")
    return outcomes


def _numbers(where: str, value: Any, name: str) -> dict[str, float]:
    if not isinstance(value, dict) or not all(isinstance(each, int | float) for each in value.values()):  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        raise RowsError(f"{where}: `{name}` maps models to numbers")
    return {str(model): float(number) for model, number in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType, reportUnknownArgumentType]
