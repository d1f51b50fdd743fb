"""The classifier's file: a line of JSON that says what it is, then two compressed tables of small integers.

`scripts/train_injection.py` writes it. The first table weighs what a person says to a model, the second what
third parties wrote: there, any instruction to the reader's assistant counts.
"""

from __future__ import annotations

import zlib
from array import array
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from math import exp, log, sqrt
from operator import add
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from penstock.guardrails.injection.features import BITS, positions, traits

SHIPPED: Final = Path(__file__).with_name("weights.bin")
MOST_BYTES: Final = 6_000
"""Longer texts are looked at in pieces of this size, which overlap."""
OVERLAP: Final = 600
WINDOW: Final = 16
_STRIDE: Final = 8
AT_THRESHOLD: Final = 0.8
"""The certainty that stands for the margin at which about one in a hundred innocent prompts is found."""


class ModelError(ValueError):
    """The file is none of ours."""


@dataclass(frozen=True, slots=True)
class Head:
    """One table: integer weights times `scale`, a constant, and the margins that stand for `AT_THRESHOLD`."""

    weights: list[int]
    scale: float
    bias: float
    threshold: float
    window_threshold: float

    def scores(self, data: bytes) -> tuple[float, float, int]:
        """How far the text and its strongest window lie over their thresholds; that window's first token."""
        words, places = positions(data)
        if not words:
            return -9.0, -9.0, 0
        table = self.weights
        values = list(map(table.__getitem__, places))
        whole = sum(values) / sqrt(len(values)) + sum([table[place] for place in traits(data, words)])
        best, at = self._window(values, len(words))
        return whole * self.scale + self.bias - self.threshold, best, at

    def _window(self, values: list[int], size: int) -> tuple[float, int]:
        if size < 2 * WINDOW:
            return -9.0, 0
        second, third = values[size : 2 * size - 1], values[2 * size - 1 : 3 * size - 3]
        fourth = values[3 * size - 3 : 4 * size - 5]
        # The last tokens begin no triple: `map` ends with the shortest list.
        sums = [0, *accumulate(map(add, map(add, values, second), map(add, third, fourth)))]
        ends = sums[WINDOW::_STRIDE]
        gains = [end - start for start, end in zip(sums[::_STRIDE], ends, strict=False)]
        most = max(gains)
        margin = most / sqrt(4 * WINDOW) * self.scale + self.bias - self.window_threshold
        return margin, gains.index(most) * _STRIDE


@dataclass(frozen=True, slots=True)
class Model:
    """Both heads, and what the file says of itself."""

    direct: Head
    indirect: Head
    about: dict[str, Any]


def certainty(margin: float) -> float:
    """A margin over the threshold as a number from 0 to 1."""
    return 1 / (1 + exp(-max(-30.0, min(30.0, margin + log(AT_THRESHOLD / (1 - AT_THRESHOLD))))))


def load(path: Path) -> Model:
    """Reads a file. Raises ModelError where it is none, and OSError."""
    line, _, body = path.read_bytes().partition(b"\n")
    try:
        about = msgspec.json.decode(line, type=dict[str, Any])
        tables = array("b", zlib.decompress(body))
        if about["format"] != 1 or about["bits"] != BITS or len(tables) != 2 << BITS:
            raise ModelError(f"{path} was written for another version; train it again")
        size = 1 << BITS
        heads = [
            _head(cast("dict[str, float]", about[name]), tables[at * size : (at + 1) * size].tolist())
            for at, name in enumerate(("direct", "indirect"))
        ]
    except (msgspec.DecodeError, zlib.error, KeyError, TypeError) as error:
        raise ModelError(f"{path} is no file of the injection classifier: {error}") from None
    return Model(heads[0], heads[1], about)


@cache
def shipped() -> Model:
    """The classifier that comes with the package."""
    return load(SHIPPED)


def _head(about: dict[str, float], weights: list[int]) -> Head:
    return Head(weights, about["scale"], about["bias"], about["threshold"], about["window_threshold"])
