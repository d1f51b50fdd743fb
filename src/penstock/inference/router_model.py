"""A learned router: how well each model will do on a prompt, and whether there is any reason to believe it.

The file is safetensors: arrays and a JSON header, nothing that could run. Its metadata say what it was trained
on, and how well it did on rows that it had not seen.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.adapters.tensor_file import Arrays, TensorFileError, read_tensors, tensor_bytes
from penstock.core.text_features import dense_of, terms_of
from penstock.inference.terms import Terms

Floats = NDArray[np.float64]
FORMAT = "penstock-router-1"
# How many neighbours among the training prompts say whether a prompt is of their kind.
NEIGHBOURS = 5


class ModelFileError(ValueError):
    """The file is no router that this version can use; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the router says of one prompt.

    `quality`: what each model is expected to reach, 0 to 1. `known`: whether the prompt is like those of the
    training; where it is not, the numbers mean nothing.
    """

    quality: Floats
    known: bool


@dataclass(frozen=True, slots=True)
class About:
    """What stands in the file beside the arrays.

    `signal`: outcomes could be told from prompts better than by chance; without it the default is chosen always.
    `why`: the sentence to that. `embedder`: whose vectors it wants, empty where it needs none.
    """

    models: tuple[str, ...]
    signal: bool
    why: str
    embedder: str
    data_sha256: str
    rows: int
    metrics: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class RouterModel:
    """Linear in terms, dense features and the embedding, plus neighbours by a Gaussian of distance.

    Shapes: `mean` (models,), `by_term` (terms, models), `by_dense` (dense, models), `by_embedding` (dimensions,
    models), `anchors` (rows, dimensions) with `by_anchor` (rows, models). `width`: of the Gaussian. `alike`: a
    prompt whose mean cosine to its nearest anchors is lower is of another kind.
    """

    about: About
    terms: Terms
    mean: Floats
    by_term: Floats
    dense_mean: Floats
    dense_scale: Floats
    by_dense: Floats
    embedding_mean: Floats
    by_embedding: Floats
    anchors: Floats
    by_anchor: Floats
    width: float
    alike: float

    def judge(self, prompt: str, embedding: NDArray[Any] | None) -> Verdict:
        """What to expect of each model on this prompt; `embedding` (dimensions,) where the model wants one."""
        quality = self.mean + self._words(prompt)
        known = True
        if len(self.anchors) and embedding is not None:
            vector = np.asarray(embedding, np.float64)
            cosines = self.anchors @ vector
            quality = quality + (vector - self.embedding_mean) @ self.by_embedding
            quality = quality + np.exp((cosines - 1.0) / self.width**2) @ self.by_anchor
            nearest = min(NEIGHBOURS, len(cosines))
            known = float(np.partition(cosines, -nearest)[-nearest:].mean()) >= self.alike
        return Verdict(np.clip(quality, 0.0, 1.0), known)

    def _words(self, prompt: str) -> Floats:
        column, weight = self.terms.column, self.terms.weight
        columns = [column[term] for term in terms_of(prompt) if term in column]
        if columns:
            values = weight[columns]
            linear = values @ self.by_term[columns] / max(float(np.sqrt(values @ values)), 1e-12)
        else:
            linear = np.zeros_like(self.mean)
        dense = (np.array(dense_of(prompt)) - self.dense_mean) / self.dense_scale
        return linear + np.clip(dense, -5.0, 5.0) @ self.by_dense

    def to_bytes(self) -> bytes:
        """The file."""
        names = sorted(self.terms.column, key=lambda term: self.terms.column[term])
        arrays: Arrays = {name: getattr(self, name).astype(np.float32) for name in _ARRAYS}
        arrays["term_weight"] = self.terms.weight.astype(np.float32)
        about = {name: getattr(self.about, name) for name in About.__slots__}
        more = {"width": self.width, "alike": self.alike}
        metadata = {"format": FORMAT, "about": json.dumps(about, sort_keys=True), "more": json.dumps(more)}
        return tensor_bytes(arrays, {**metadata, "terms": json.dumps(names)})


_ARRAYS = (
    "mean", "by_term", "dense_mean", "dense_scale", "by_dense", "embedding_mean", "by_embedding", "anchors", "by_anchor",
)  # fmt: skip


def router_from(data: bytes) -> RouterModel:
    """Read a file's content. Raises ModelFileError."""
    try:
        arrays, metadata = read_tensors(data)
        if metadata.get("format") != FORMAT:
            raise ModelFileError(f"not a router model of this version; train it with `penstock route train` ({FORMAT})")
        about: dict[str, Any] = json.loads(metadata["about"])
        about["models"] = tuple(about["models"])
        names: Sequence[str] = json.loads(metadata["terms"])
        more = json.loads(metadata["more"])
        wide = {name: arrays[name].astype(np.float64) for name in (*_ARRAYS, "term_weight")}
        model = RouterModel(
            about=About(**about),
            terms=Terms({term: at for at, term in enumerate(names)}, wide.pop("term_weight")),
            width=float(more["width"]),
            alike=float(more["alike"]),
            **wide,
        )
    except ModelFileError:
        raise
    except (TensorFileError, KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"the router model cannot be read: {error}") from None
    _fits(model)
    return model


def _fits(model: RouterModel) -> None:
    """Raises ModelFileError where arrays do not fit together."""
    count = len(model.about.models)
    terms = len(model.terms.weight)
    dimensions = len(model.embedding_mean)
    wanted = {
        "mean": (count,),
        "by_term": (terms, count),
        "by_dense": (len(model.dense_mean), count),
        "by_embedding": (dimensions, count),
        "anchors": (len(model.anchors), dimensions),
        "by_anchor": (len(model.anchors), count),
    }
    for name, shape in wanted.items():
        if getattr(model, name).shape != shape or not np.isfinite(getattr(model, name)).all():
            raise ModelFileError(f"the router model's array {name!r} does not fit the others")
    if len(model.terms.column) != terms:
        raise ModelFileError("the router model's terms do not fit its weights")
