"""What every part of the measurement shares: data, embedder, seed, and texts that were read before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penstock.adapters.embedder.onnx import OnnxEmbedder
from penstock.inference.meanings import Meaning, Meanings

Floats32 = NDArray[np.float32]


@dataclass(slots=True)
class Setting:
    """`rows` limits what is read of each data set, for a quick run; 0 is all."""

    data: Path
    embedder: OnnxEmbedder
    seed: int
    rows: int
    entries: int
    cache: Path | None = None
    meanings: Meanings = field(init=False)
    _read: dict[str, Meaning] = field(init=False, default_factory=dict[str, Meaning])
    _made: set[Path] = field(init=False, default_factory=set[Path])

    def __post_init__(self) -> None:
        self.meanings = Meanings(self.embedder)

    def lines(self, path: str) -> list[dict[str, str]]:
        """Rows of a file of JSON lines."""
        found = [json.loads(line) for line in (self.data / path).read_text().split("\n") if line.strip()]
        return found[: self.rows or None]

    def meaning(self, text: str) -> Meaning:
        """Read a text, once."""
        found = self._read.get(text)
        if found is None:
            found = self._read[text] = self.meanings.of(text)
        return found

    def vectors(self, texts: Sequence[str]) -> Floats32:
        """One row for each text; kept on disk between runs."""
        name = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
        path = self.cache / f"{name}.npy" if self.cache is not None else None
        if path is not None and path.exists():
            return np.load(path)
        made = self.embedder.embed(texts)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, made)
        return made

    def keep(self) -> None:
        """Forget texts: the next part reads others."""
        self._read.clear()
