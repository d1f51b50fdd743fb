"""The data sets of the routing benchmark as rows. Nothing of them stands in this repository."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from penstock.inference.rows import Rows, share_of

MIXTRAL, GPT4 = "mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview"
ARTEFACT = "high_school_mathematics"
_QUESTION = re.compile(
    r"Question:(.*?)(?:Choices:(.*?))?(?:Answer|Step-By-Step Reasoning|Problem):?\s*$", re.DOTALL
)
_CHOICE = re.compile(r"^([A-J])[:.)]\s*(.*)$", re.MULTILINE)


@cache
def records(path: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet file."""
    library: Any = pq
    return list(library.read_table(path).to_pylist())


def _pair(found: list[dict[str, Any]], weak: str, strong: str, prompt: str = "prompt") -> Rows:
    quality = np.array([[float(row[weak]), float(row[strong])] for row in found])
    return Rows(tuple(row[prompt] for row in found), ("weak", "strong"), quality, np.full_like(quality, np.nan))


def mmlu(data: Path, *, artefact: bool = True) -> Rows:
    """Mixtral-8x7B against GPT-4 on MMLU; `artefact`: with the domain whose answers were parsed wrongly."""
    found = [row for row in records(data / "routellm/mmlu.parquet") if not row["contaminated"]]
    return _pair([row for row in found if artefact or row["domain"] != ARTEFACT], MIXTRAL, GPT4)


def gsm8k(data: Path, *, answers: bool = False) -> Rows:
    """The same on GSM8K; `answers`: with what Mixtral answered."""
    found = [row for row in records(data / "routellm/gsm8k.parquet") if not row["contaminated"]]
    rows = _pair(found, MIXTRAL, GPT4)
    if not answers:
        return rows
    said = tuple((str(row[f"{MIXTRAL}_response"]), ()) for row in found)
    return Rows(rows.prompts, rows.models, rows.quality, rows.cost, said)


def mt_bench(data: Path) -> Rows:
    """MT-Bench scores, turn by turn, tenths of the judge's 10; the second turn's prompt is both turns."""
    found = [row for row in records(data / "routellm/mt_bench.parquet") if not row["contaminated"]]
    by_turn: dict[tuple[int, int], dict[str, dict[str, Any]]] = {}
    for row in found:
        by_turn.setdefault((row["question_id"], row["turn"]), {})[row["model"]] = row
    prompts: list[str] = []
    quality: list[tuple[float, float]] = []
    for (_, turn), models in sorted(by_turn.items()):
        weak = next((row for name, row in models.items() if "ixtral" in name), None)
        strong = next((row for name, row in models.items() if "gpt-4" in name), None)
        if weak is not None and strong is not None:
            prompts.append(weak["turn1"] if turn == 1 else f"{weak['turn1']}\n\n{weak['turn2']}")
            quality.append((weak["score"] / 10.0, strong["score"] / 10.0))
    values = np.array(quality, np.float64)
    return Rows(tuple(prompts), ("weak", "strong"), values, np.full_like(values, np.nan))


def alpaca(
    data: Path, weak: str = "Mixtral-8x7B-Instruct-v0.1_concise", strong: str = "gpt4_1106_preview"
) -> Rows:
    """AlpacaEval: how likely a judge prefers each model's answer to GPT-4-turbo's."""
    texts = {row["qid"]: row["instruction"] for row in records(data / "alpaca_eval_matrix/queries.parquet")}
    by_query: dict[Any, dict[str, float]] = {}
    for row in records(data / "alpaca_eval_matrix/outcomes.parquet"):
        by_query.setdefault(row["qid"], {})[row["model"]] = row["win_prob_vs_gpt4turbo"]
    found = [
        {"prompt": texts[qid], weak: models[weak], strong: models[strong]}
        for qid, models in sorted(by_query.items())
        if weak in models and strong in models and qid in texts
    ]
    rows = _pair(found, weak, strong)
    return Rows(rows.prompts, rows.models, rows.quality, rows.cost, preferences=True)


def cascades(data: Path, benchmark: str, split: str = "test") -> Rows:
    """Nine models with the log probability of their answers, in order of their mean cost.

    `answers` are those of gpt-4o-mini. See `confidences` for the other models' log probabilities.
    """
    return cascades_with_confidence(data, benchmark, split)[0]


def cascades_with_confidence(
    data: Path, benchmark: str, split: str = "test", speaker: str = "gpt-4o-mini"
) -> tuple[Rows, np.ndarray[Any, np.dtype[np.float64]]]:
    """The rows, and each model's log probability of its own answer, (rows, models)."""
    folder = data / "rational_cascades"
    texts = {
        row["query_idx"]: row["prompt"]
        for row in records(folder / "queries.parquet")
        if row["benchmark"] == benchmark and row["split"] == split
    }
    by_query: dict[int, dict[str, dict[str, Any]]] = {}
    for row in records(folder / "outcomes.parquet"):
        if row["benchmark"] == benchmark and row["split"] == split and row["query_idx"] in texts:
            by_query.setdefault(row["query_idx"], {})[row["model"]] = row
    models = sorted({name for each in by_query.values() for name in each})
    kept = [(qid, each) for qid, each in sorted(by_query.items()) if len(each) == len(models)]

    def column(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array([[float(each[model][name]) for model in models] for _, each in kept])

    said = tuple(
        (str(each[speaker]["answer"]), (max(float(each[speaker]["confidence"]), -100.0),)) for _, each in kept
    )
    rows = Rows(
        tuple(texts[qid] for qid, _ in kept), tuple(models), column("correct"), column("cost_usd"), said
    )
    return rows, np.maximum(column("confidence"), -100.0)


def plain_question(prompt: str) -> str:
    """A question of `cascades` as `mmlu` writes it: the question, lines with choices, `Answer:`."""
    found = _QUESTION.search(prompt)
    if found is None:
        return prompt
    choices = [f"{letter}. {text.strip()}" for letter, text in _CHOICE.findall(found[2] or "")]
    return "\n".join([found[1].strip(), *choices, "Answer:"])


def bare(prompt: str) -> str:
    """The question's own words, for comparing: no choices, no case, no spaces."""
    text = re.split(r"\n[A-J][.:)]|\nChoices:", prompt)[0]
    return re.sub(r"\W+", "", text.lower())


def routerbench(data: Path) -> tuple[Rows, Rows]:
    """Eleven models on ARC-Challenge, MBPP and Winogrande with costs: the author's train and test parts."""
    train = _routerbench(records(data / "routerbench_slices/train.parquet"))
    test = _routerbench(records(data / "routerbench_slices/test.parquet"))
    known = set(test.prompts)
    return train.take(np.array([prompt not in known for prompt in train.prompts])), test


def _routerbench(found: list[dict[str, Any]]) -> Rows:
    models = tuple(
        sorted(name.removesuffix("|total_cost") for name in found[0] if name.endswith("|total_cost"))
    )
    whole = [
        row for row in found if all(row[model] is not None and row[model] == row[model] for model in models)
    ]
    quality = np.array([[float(row[model]) for model in models] for row in whole])
    cost = np.array([[float(row[f"{model}|total_cost"]) for model in models] for row in whole])
    return Rows(tuple(row["prompt"] for row in whole), models, quality, cost)


def routerarena(data: Path) -> Rows:
    """Two models with costs, of which one is dearer and worse."""
    by_query: dict[Any, dict[str, dict[str, Any]]] = {}
    for row in records(data / "routerarena_sub10/outcomes.parquet"):
        by_query.setdefault(row["global_index"], {})[row["model"]] = row
    models = tuple(sorted({name for each in by_query.values() for name in each}))
    kept = [each for _, each in sorted(by_query.items()) if len(each) == len(models)]
    quality = np.array([[float(each[model]["score"]) for model in models] for each in kept])
    cost = np.array([[float(each[model]["inference_cost"]) for model in models] for each in kept])
    return Rows(tuple(each[models[0]]["question"] for each in kept), models, np.clip(quality, 0.0, 1.0), cost)


def samples(data: Path) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """Sampled answers on DATE, and the right ones by question."""
    folder = data / "mot_cascade"
    gold = {
        row["idx"]: str(row["gold"]) for row in records(folder / "questions.parquet") if row["task"] == "date"
    }
    found = [row for row in records(folder / "samples.parquet") if row["task"] == "date" and row["idx"] in gold]
    return found, gold


def seeded(rows: Rows, count: int, seed: int) -> tuple[Rows, Rows]:
    """`count` rows to learn from and the rest, by the prompt's hash under a seed: equal prompts together."""
    order = np.argsort([share_of(prompt, f"seed {seed}") for prompt in rows.prompts], kind="stable")
    places: list[int] = order.tolist()
    cut = min(count, len(places) - 1)
    while cut < len(places) - 1 and rows.prompts[places[cut]].strip() == rows.prompts[places[cut - 1]].strip():
        cut += 1
    return rows.take(order[:cut]), rows.take(order[cut:])


def file_digest(path: Path) -> str:
    """Which data were measured."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
