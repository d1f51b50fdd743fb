"""S1 to S4: are the right questions taken for the same, and the wrong ones not?"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.routing_quality.report import Measured
from bench.semantic_cache import conversations
from bench.semantic_cache.own import OwnPairs, row_of
from bench.semantic_cache.setting import Setting
from penstock.inference.logistic import fit
from penstock.inference.nearest import LEAST_SIMILARITY, choose

Floats = NDArray[np.float64]
PRECISION = 0.9
FOLDS = 5
MOCK_ROWS = 999


def mock(setting: Setting) -> Iterator[Measured]:
    """S1: every origin is kept, every rephrasing asked."""
    rows = setting.lines("gptcache_bench/mock_data.jsonl")
    origins = list(dict.fromkeys(row["origin"] for row in rows))
    kept = setting.vectors(origins)
    right = wrong = 0
    why: Counter[str] = Counter()
    for row in rows:
        asked = setting.meaning(row["similar"])
        similarities = kept @ asked.vector
        near = [int(i) for i in np.argsort(-similarities)[:8]]
        choice = choose(
            setting.meanings,
            asked,
            [float(similarities[i]) for i in near],
            lambda place, near=near: setting.meaning(origins[near[place]]),
        )
        if choice is None or not choice.same:
            why[choice.verified.reason if choice and choice.verified else "far"] += 1
        elif origins[near[choice.place]] == row["origin"]:
            right += 1
        else:
            wrong += 1
    n = len(rows)
    scale = MOCK_ROWS / n
    detail = {"missed": dict(why.most_common()), "GPTCache t .8": "904 / 92", "GPTCache t .9": "804 / 77"}
    yield Measured(
        "S1.right", "right answers of 999", (right * scale,), ">= 915", right * scale >= 915, n, detail
    )
    yield Measured("S1.wrong", "wrong answers of 999", (wrong * scale,), "<= 40", wrong * scale <= 40, n)


def traps(setting: Setting) -> Iterator[Measured]:
    """S2: questions that must not hit, and paraphrases of our own that should."""
    wrong, kinds, n = 0, Counter[str](), 0
    for path in sorted((setting.data / "cache_traps").glob("*.jsonl")):
        for row in setting.lines(str(path.relative_to(setting.data))):
            if not isinstance(row.get("a"), str) or row.get("same_answer"):
                continue
            n += 1
            a, b = setting.meaning(row["a"]), setting.meaning(row["b"])
            choice = choose(setting.meanings, a, [float(a.vector @ b.vector)], lambda _, b=b: b)
            if choice is not None and choice.same:
                wrong += 1
                kinds[row.get("category", "")] += 1
    share = wrong / max(n, 1)
    bound = 0.08 if n <= 88 else 0.10
    detail = {"by kind": dict(kinds), "GPTCache": 0.81, "RedisVL": 0.11, "MiniLM .90": 0.43}
    yield Measured("S2.wrong", "traps served", (share,), f"<= {bound}", share <= bound, n, detail)
    for name, what in (("questions.txt", ""), ("passages.txt", ", longer texts")):
        own = OwnPairs.of(setting.embedder, (name,)) if what else OwnPairs.of(setting.embedder)
        told = own.verified(setting.seed)
        for same in (True, False):
            served = [
                t.same and row[0] >= LEAST_SIMILARITY
                for t, row, pair in zip(told, own.rows, own.pairs, strict=True)
                if pair.same is same
            ]
            value = float(np.mean(served))
            least = 0.55 if same and not what else None
            yield Measured(
                f"S2.own_{'paraphrases' if same else 'traps'}{'_long' if what else ''}",
                f"own {'paraphrases' if same else 'traps'}{what} served, groups left out",
                (value,),
                f">= {least}" if least else "none",
                least is None or value >= least,
                len(served),
            )


def contexts(setting: Setting) -> Iterator[Measured]:
    """S3: the same last message in another conversation, or of another tenant."""
    yield from conversations.measure(setting)


def recall(setting: Setting) -> Iterator[Measured]:
    """S4: how many true pairs can be had where nine of ten are right."""
    with (setting.data / "mqp" / "mqp.csv").open() as file:
        doctors = list(csv.DictReader(file))[: setting.rows or None]
    yield _recall(
        setting, "S4.mqp", 0.68,
        [(row["question_1"], row["question_2"]) for row in doctors],
        np.array([float(row["label"]) for row in doctors]),
        np.array([int(row["dr_id"]) for row in doctors]),
    )  # fmt: skip
    setting.keep()
    from pyarrow import parquet  # noqa: PLC0415 - for this part alone

    read: Any = parquet
    table: dict[str, Any] = read.read_table(setting.data / "gptcache_bench" / "qqp_full.parquet").to_pydict()
    rng = np.random.default_rng(setting.seed)
    chosen = rng.permutation(len(table["label"]))[: setting.rows or 12_000]
    texts = [(table["text_a"][i], table["text_b"][i]) for i in chosen]
    labels = np.array([float(table["label"][i]) for i in chosen])
    yield _recall(setting, "S4.qqp", 0.28, texts, labels, np.arange(len(chosen)) % FOLDS)


def _recall(
    setting: Setting,
    name: str,
    target: float,
    texts: list[tuple[str, str]],
    labels: Floats,
    groups: NDArray[np.int64],
) -> Measured:
    rows: list[tuple[float, ...]] = []
    for number, (a, b) in enumerate(texts):
        rows.append(row_of(setting.meaning(a), setting.meaning(b)))
        if number % 500 == 0:
            setting.keep()
    made = np.array(rows)
    scores = np.zeros(len(made))
    for group in np.unique(groups):
        out = groups == group
        scores[out] = fit(made[~out], labels[~out])(made[out])
    plain, fitted = recall_at(made[:, 0], labels), recall_at(scores, labels)
    detail = {"cosine alone": round(plain, 4), "fitted, groups left out": round(fitted, 4)}
    best = max(plain, fitted)
    return Measured(
        name, "recall at precision .90, fitted to the other groups", (fitted,), f">= {target}", fitted >=
        target, len(labels), {**detail, "better of both": round(best, 4)},
    )  # fmt: skip


def recall_at(scores: Floats, labels: Floats, precision: float = PRECISION) -> float:
    """The most recall that some threshold gives at this precision."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    good = hits / np.arange(1, len(labels) + 1) >= precision
    return float(hits[good].max() / labels.sum()) if good.any() else 0.0


PARTS: dict[str, Callable[[Setting], Iterator[Measured]]] = {
    "S1": mock,
    "S2": traps,
    "S3": contexts,
    "S4": recall,
}
