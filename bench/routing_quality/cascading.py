"""C1 to C5: cascades, from calibration rows to thresholds of a configured route and its decisions."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.routing_quality import sources
from bench.routing_quality.report import Measured, mean
from bench.routing_quality.routers import Setting, judged, ranked, trained
from penstock.core.verdict import agreement, final_answer
from penstock.inference.cascade_tuning import Stages, run, tune_for_quality
from penstock.inference.router_model import need_of
from penstock.inference.rows import Rows

Floats = NDArray[np.float64]
REFERENCE = "gpt-4o"
# Those that a user would think of: cheaper than the reference, each the best of its size.
CHEAPER = ("gpt-4o-mini", "llama3.1-70b", "qwen2.5-72b-instruct")
PROMPTS = ("date_pot1", "date_pot2")
ROWS = 300
SEEDS = 20
C1 = {"mmlu": 0.40, "medmcqa": 0.12, "triviaqa": 0.15, "truthfulqa": 0.08}
BOUND = {"mmlu": 0.60, "medmcqa": 0.52, "triviaqa": 0.71, "truthfulqa": 0.23}
C3 = {"mmlu": 0.80, "medmcqa": 0.77, "triviaqa": 0.86, "truthfulqa": 0.72}


def stages_of(setting: Setting, benchmark: str) -> Stages:
    """The candidates and the reference with the log probabilities of their answers."""
    rows, confidence = sources.cascades_with_confidence(setting.data, benchmark)
    names = (*CHEAPER, REFERENCE)
    places = [rows.models.index(name) for name in names]
    return Stages(names, rows.quality[:, places], rows.cost[:, places], confidence[:, places])


def tolerated(setting: Setting, benchmark: str, tolerance: float) -> list[tuple[float, float]]:
    """For each seed: the difference of accuracy to the reference in points, and the share of cost cut."""
    stages = stages_of(setting, benchmark)
    found: list[tuple[float, float]] = []
    for seed in range(SEEDS):
        order = np.random.default_rng(seed).permutation(len(stages.quality))
        tuned = tune_for_quality(stages.take(order[:ROWS]), tolerance, seed)
        unseen = stages.take(order[ROWS:])
        quality, cost = run(unseen, tuned.steps if tuned is not None else ())
        points = 100.0 * float((quality - unseen.quality[:, -1]).mean())
        found.append((points, 1.0 - float(cost.sum()) / float(unseen.cost[:, -1].sum())))
    return found


def c1(setting: Setting) -> list[Measured]:
    """No tolerance declared: half a point is what the promise itself allows."""
    out: list[Measured] = []
    for benchmark, least in C1.items():
        found = tolerated(setting, benchmark, 0.005)
        points, cuts = [each[0] for each in found], [each[1] for each in found]
        broken = mean([float(each < -1.0) for each in points])
        met = mean(points) >= -0.5 and broken <= 0.15 and mean(cuts) >= least
        detail = {"points": round(mean(points), 3), "below_minus_1": broken}
        target = f"mean difference >= -0.5 point, <= 15 % of seeds below -1, cut >= {least:.0%}"
        out.append(
            Measured(f"C1-{benchmark}", "share of cost cut, 300 rows", tuple(cuts), target, met, SEEDS, detail)
        )
    return out


def c2(setting: Setting) -> list[Measured]:
    """One point of tolerance declared."""
    out: list[Measured] = []
    for benchmark, bound in BOUND.items():
        found = tolerated(setting, benchmark, 0.01)
        points, cuts = [each[0] for each in found], [each[1] for each in found]
        broken = mean([float(each < -2.0) for each in points])
        met = broken <= 0.10 and mean(cuts) >= 0.75 * bound
        detail = {"points": round(mean(points), 3), "below_minus_2": broken}
        target = f"cut >= 75 % of {bound:.0%}, <= 10 % of seeds below -2 points"
        out.append(
            Measured(f"C2-{benchmark}", "share of cost cut, 300 rows", tuple(cuts), target, met, SEEDS, detail)
        )
    return out


def c3(setting: Setting) -> list[Measured]:
    """In which order answers of gpt-4o-mini are escalated: a scorer trained on 300 rows of the same task."""
    out: list[Measured] = []
    for benchmark, least in C3.items():
        rows = sources.cascades(setting.data, benchmark).of_models(("gpt-4o-mini", REFERENCE))
        areas: list[float] = []
        plain: list[float] = []
        for seed in range(setting.seeds):
            learnt, unseen = sources.seeded(rows, ROWS, seed)
            model = trained(setting, learnt, seed)
            quality, _ = judged(setting, model, unseen)
            areas.append(ranked(need_of(quality), unseen)["apgr"])
            plain.append(ranked(_logprob(unseen), unseen)["apgr"])
        detail = {"logprob_alone": round(mean(plain), 4)}
        out.append(
            Measured(
                f"C3-{benchmark}",
                "escalation order, APGR, scorer trained on 300 rows",
                tuple(areas),
                f"APGR >= {least}",
                mean(areas) >= least,
                len(rows) - ROWS,
                detail,
            )
        )
    return out


def _logprob(rows: Rows) -> Floats:
    """Less sure is more in need."""
    answers = rows.answers or ()
    return np.array([-mean(list(logprobs)) if logprobs else 0.0 for _, logprobs in answers])


def c4(setting: Setting) -> list[Measured]:
    """Scoring the weak answer: a scorer trained on 650 rows of GSM8K."""
    rows = sources.gsm8k(setting.data, answers=True)
    found: list[dict[str, float]] = []
    for seed in range(setting.seeds):
        learnt, unseen = sources.seeded(rows, 650, seed)
        quality, _ = judged(setting, trained(setting, learnt, seed), unseen)
        found.append(ranked(need_of(quality), unseen))
    areas, c50 = [each["apgr"] for each in found], mean([each["cpt50"] for each in found])
    met = mean(areas) >= 0.75 and c50 <= 17.0
    detail = {"cpt50": round(c50, 2), "cpt80": round(mean([each["cpt80"] for each in found]), 2)}
    target = "APGR >= .75, CPT50 <= 17"
    return [
        Measured(
            "C4", "scoring the weak answer, 650 labels", tuple(areas), target, met, len(rows) - 650, detail
        )
    ]


def c5(setting: Setting) -> list[Measured]:
    """Agreement of samples on DATE, in the way that the node counts it, every cheap call charged.

    Samples come in turn from the two prompts that write programs; the strong model answers with one of its
    prompts.
    """
    found, gold = sources.samples(setting.data)
    said = {(row["model"], row["variant"], row["idx"]): _answers(row) for row in found}
    strong = sorted({variant for model, variant, _ in said if model == "GPT4" and "greedy" in variant})
    out: list[Measured] = []
    for samples, share in ((3, 1.0), (4, 0.75), (5, 0.8)):
        shares: list[float] = []
        points: list[float] = []
        for variant in strong:
            best = {
                idx: answers[0]
                for (model, each, idx), answers in said.items()
                if model == "GPT4" and each == variant
            }
            escalated, difference = _agreeing(said, best, gold, samples, share)
            shares.append(escalated)
            points.append(difference)
        met = mean(points) >= -1e-9 and mean(shares) <= 0.20
        detail = {
            "points": round(mean(points), 2),
            "cheap_calls": samples,
            "by_strong_prompt": dict(zip(strong, [round(each, 2) for each in points], strict=True)),
        }
        name = f"C5-{samples}-{share:g}"
        target = "GPT-4's accuracy at <= 20 % escalation"
        what = f"{samples} samples of two prompts, {share:.0%} agree: share of escalations"
        out.append(Measured(name, what, tuple(shares), target, met, len(gold), detail))
    return out


def _answers(row: dict[str, object]) -> list[str]:
    value = row["sample_answers"]
    found = json.loads(value) if isinstance(value, str) else value
    return [str(each) for each in found] if isinstance(found, list) else []  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _agreeing(
    said: dict[tuple[str, str, int], list[str]],
    strong: dict[int, str],
    gold: dict[int, str],
    samples: int,
    share: float,
) -> tuple[float, float]:
    """Share of escalations, and points of accuracy against the strong model."""
    escalated = right = strong_right = 0
    for idx, best in strong.items():
        answers = [said["GPT3", PROMPTS[at % len(PROMPTS)], idx][at // len(PROMPTS)] for at in range(samples)]
        agreed, first = agreement(answers)
        truth = final_answer(gold[idx])
        keep = agreed >= share - 1e-9
        escalated += not keep
        right += final_answer(answers[first] if keep else best) == truth
        strong_right += final_answer(best) == truth
    return escalated / len(strong), 100.0 * (right - strong_right) / len(strong)


PARTS: dict[str, Callable[[Setting], list[Measured]]] = {"C1": c1, "C2": c2, "C3": c3, "C4": c4, "C5": c5}
