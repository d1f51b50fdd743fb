"""A learned router or scorer: how well each model will do, and whether there is any reason to believe it.

The file is safetensors: arrays and a JSON header, nothing that could run. Its metadata say what it was trained
on, and how well it did on rows that it had not seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from penstock.adapters.tensor_file import Arrays, TensorFileError, read_tensors, tensor_bytes
from penstock.core.answer_features import answer_dense, answer_terms
from penstock.core.text_features import dense_of, terms_of
from penstock.inference.terms import Terms

Floats = NDArray[np.float64]
FORMAT = "penstock-router-1"
# How many neighbours among the training prompts say whether a prompt is of their kind.
NEIGHBOURS = 5
# Standardised features are cut here: a prompt ten times as long as any other must not decide by that alone.
FARTHEST = 5.0


class ModelFileError(ValueError):
    """The file is no model that this version can use; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is judged: a prompt, and for a scorer the answer to it with its tokens' log probabilities."""

    prompt: str
    answer: str = ""
    logprobs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the model says of one item.

    `quality`: what each model is expected to reach, 0 to 1. `known`: whether the prompt is like those of the
    training; where it is not, the numbers mean nothing.
    """

    quality: Floats
    known: bool


@dataclass(frozen=True, slots=True)
class About:
    """What stands in the file beside the arrays.

    `kind`: `router` looks at prompts, `scorer` also at a first answer. `signal`: outcomes could be told better
    than by chance; without it the default is chosen always, and `why` is the sentence to that. `embedder`:
    whose vectors it wants, empty where it needs none. `levels`: for 0 to 100 % of strong calls, the gain
    above which those calls lie, and the share of the gap in quality that they recover (on rows left out).
    """

    kind: Literal["router", "scorer"]
    models: tuple[str, ...]
    signal: bool
    why: str
    embedder: str
    data_sha256: str
    rows: int
    levels: tuple[tuple[float, float], ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class RouterModel:
    """Linear in terms, dense features and the embedding, plus two Gaussians of the distance to training rows.

    Shapes: `mean` (models,), `by_term` (terms, models), `by_dense` (dense, models), `by_embedding` (dimensions,
    models), `anchors` (rows, dimensions) with `by_anchor` (rows, models), `dense_anchors` (rows, dense) with
    `by_dense_anchor` (rows, models). `width` and `dense_width`: of the Gaussians. `alike`: a prompt whose mean
    cosine to its nearest anchors is lower is of another kind.
    """

    about: About
    terms: Terms
    mean: Floats
    by_term: Floats
    dense_mean: Floats
    dense_scale: Floats
    by_dense: Floats
    dense_anchors: Floats
    by_dense_anchor: Floats
    embedding_mean: Floats
    by_embedding: Floats
    anchors: NDArray[Any]
    by_anchor: Floats
    width: float
    dense_width: float
    alike: float

    def judge(self, item: Item, embedding: NDArray[Any] | None) -> Judgement:
        """What to expect; `embedding` (dimensions,) is the prompt's, None where the model wants none."""
        rows = None if embedding is None else np.asarray(embedding, np.float64)[None, :]
        quality, known = self.judge_all([item], rows)
        return Judgement(quality[0], bool(known[0]))

    def judge_all(self, items: Sequence[Item], embeddings: Floats | None) -> tuple[Floats, NDArray[np.bool_]]:
        """The same for many: (items, models), and which are known."""
        quality = self.mean + self._by_terms(items)
        dense = self.dense(items)
        quality = quality + dense @ self.by_dense
        if len(self.dense_anchors):
            quality = quality + gaussian_of(dense, self.dense_anchors, self.dense_width) @ self.by_dense_anchor
        known = np.ones(len(items), bool)
        if len(self.anchors) and embeddings is not None:
            vectors = embeddings.astype(np.float64)
            # Half the bytes, half the time: anchors are what a decision reads most of.
            cosines = embeddings.astype(np.float32) @ self.anchors.T
            quality = quality + (vectors - self.embedding_mean) @ self.by_embedding
            quality = quality + np.exp((cosines - 1.0) / self.width**2) @ self.by_anchor
            nearest = min(NEIGHBOURS, cosines.shape[1])
            known = np.partition(cosines, -nearest, axis=1)[:, -nearest:].mean(axis=1) >= self.alike
        return np.clip(quality, 0.0, 1.0), known

    def dense(self, items: Sequence[Item]) -> Floats:
        """Standardised dense features, (items, dense)."""
        raw = raw_dense(self.about.kind, items)
        return np.clip((raw - self.dense_mean) / self.dense_scale, -FARTHEST, FARTHEST)

    def _by_terms(self, items: Sequence[Item]) -> Floats:
        out = np.zeros((len(items), len(self.mean)))
        column, weight = self.terms.column, self.terms.weight
        for row, item in enumerate(items):
            columns = [column[term] for term in terms_in(self.about.kind, item) if term in column]
            if columns:
                values = weight[columns]
                out[row] = values @ self.by_term[columns] / max(float(np.sqrt(values @ values)), 1e-12)
        return out

    def with_about(self, **changes: Any) -> RouterModel:
        """The model with other words about it."""
        return replace(self, about=replace(self.about, **changes))

    def to_bytes(self) -> bytes:
        """The file."""
        names = sorted(self.terms.column, key=lambda term: self.terms.column[term])
        arrays: Arrays = {name: getattr(self, name).astype(np.float32) for name in _ARRAYS}
        arrays["term_weight"] = self.terms.weight.astype(np.float32)
        about = {name: getattr(self.about, name) for name in About.__slots__}
        more = {name: getattr(self, name) for name in ("width", "dense_width", "alike")}
        metadata = {"format": FORMAT, "about": json.dumps(about, sort_keys=True), "more": json.dumps(more)}
        return tensor_bytes(arrays, {**metadata, "terms": json.dumps(names)})


_ARRAYS = (
    "mean", "by_term", "dense_mean", "dense_scale", "by_dense", "dense_anchors", "by_dense_anchor",
    "embedding_mean",
    "by_embedding", "anchors", "by_anchor",
)  # fmt: skip


def terms_in(kind: str, item: Item) -> set[str]:
    """The terms that a model of this kind looks at."""
    return terms_of(item.prompt) if kind == "router" else answer_terms(item.prompt, item.answer)


def raw_dense(kind: str, items: Sequence[Item]) -> Floats:
    """The dense features that a model of this kind looks at, (items, dense)."""
    if kind == "router":
        return np.array([dense_of(item.prompt) for item in items], np.float64)
    return np.array([answer_dense(item.prompt, item.answer, item.logprobs) for item in items], np.float64)


def need_of(quality: Floats) -> Floats:
    """How much an answer of the first of two models needs the second: (rows,) of (rows, 2).

    Halfway between what the second would gain and how likely the first is wrong: the latter is told more
    surely, for it does not depend on the second one's luck.
    """
    return 0.5 * (quality[:, 1] - quality[:, 0]) - 0.5 * quality[:, 0]


def gaussian_of(one: Floats, other: Floats, width: float) -> Floats:
    """E to the minus of squared distances over features and width: (rows of one, rows of other)."""
    distance = (one * one).sum(axis=1)[:, None] + (other * other).sum(axis=1) - 2.0 * one @ other.T
    return np.exp(-np.maximum(distance, 0.0) / (2.0 * width**2 * one.shape[1]))


def router_from(data: bytes) -> RouterModel:
    """Read a file's content. Raises ModelFileError."""
    try:
        arrays, metadata = read_tensors(data)
        if metadata.get("format") != FORMAT:
            raise ModelFileError(  # noqa: TRY301 - said where it is seen
                f"not a router model of this version; train it with `penstock route train` ({FORMAT})"
            )
        about: dict[str, Any] = json.loads(metadata["about"])
        about["models"] = tuple(about["models"])
        about["levels"] = tuple((float(gain), float(part)) for gain, part in about["levels"])
        names: list[str] = json.loads(metadata["terms"])
        more: dict[str, Any] = json.loads(metadata["more"])
        wide = {name: arrays[name].astype(np.float64) for name in (*_ARRAYS, "term_weight")}
        wide["anchors"] = arrays["anchors"]
        terms = Terms({term: at for at, term in enumerate(names)}, wide.pop("term_weight"))
        model = RouterModel(about=About(**about), terms=terms, **wide, **more)
    except ModelFileError:
        raise
    except (TensorFileError, KeyError, TypeError, ValueError) as error:
        raise ModelFileError(f"the router model cannot be read: {error}") from None
    _fits(model)
    return model


def id_of(data: bytes) -> str:
    """What a model is called where it is asked for: its file's digest."""
    return hashlib.sha256(data).hexdigest()[:16]


def _fits(model: RouterModel) -> None:
    """Raises ModelFileError where arrays do not fit together."""
    count = len(model.about.models)
    terms, dense, dimensions = len(model.terms.weight), len(model.dense_mean), len(model.embedding_mean)
    wanted = {
        "mean": (count,),
        "by_term": (terms, count),
        "dense_scale": (dense,),
        "by_dense": (dense, count),
        "dense_anchors": (len(model.dense_anchors), dense),
        "by_dense_anchor": (len(model.dense_anchors), count),
        "by_embedding": (dimensions, count),
        "anchors": (len(model.anchors), dimensions),
        "by_anchor": (len(model.anchors), count),
    }
    for name, shape in wanted.items():
        array = getattr(model, name)
        if array.shape != shape or not np.isfinite(array).all():
            raise ModelFileError(f"the router model's array {name!r} does not fit the others")
    if len(model.terms.column) != terms or dense != raw_dense(model.about.kind, [Item("")]).shape[1]:
        raise ModelFileError("the router model's features are not those of this version; train it anew")
