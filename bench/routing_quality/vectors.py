"""Embeddings of prompts, each worked out once; kept between runs where a folder is given."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from penstock.ports.embedder import Embedder


class Vectors:
    """An embedder that remembers."""

    def __init__(self, embedder: Embedder, folder: Path | None) -> None:
        self.name = embedder.name
        self._embedder = embedder
        self._file = folder / f"{embedder.name}.npz" if folder is not None else None
        self._known: dict[str, NDArray[np.float32]] = {}
        if self._file is not None and self._file.exists():
            with np.load(self._file) as kept:
                self._known = dict(zip(kept["keys"].tolist(), kept["vectors"], strict=True))

    def __call__(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """One row for each prompt."""
        keys = [hashlib.sha256(prompt.encode()).hexdigest()[:24] for prompt in prompts]
        new = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if key not in self._known}
        if new:
            self._known.update(zip(new, self._embedder.embed(list(new.values())), strict=True))
        return np.stack([self._known[key] for key in keys])

    def keep(self) -> None:
        """Write what is known."""
        if self._file is not None and self._known:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            np.savez(self._file, keys=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))
