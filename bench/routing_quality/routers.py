"""R1 to R4, R6 and R7: learned routers, from rows to the decisions of a configured route."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.routing_quality import sources
from bench.routing_quality.report import Measured, mean
from penstock.core.difficulty import difficulty
from penstock.inference.costs import costs_from
from penstock.inference.curves import aiq, apgr, cost_at, cpt, recovered
from penstock.inference.deciding import DEFAULT, LEAST_SEEN, Decider, Rule
from penstock.inference.router_model import RouterModel, router_from
from penstock.inference.rows import Rows
from penstock.inference.training import Embed, items_of, train

Floats = NDArray[np.float64]
SHARES = np.linspace(0.0, 1.0, 41)
WORTHS = np.geomspace(1e-5, 10.0, 41)


@dataclass(frozen=True, slots=True)
class Setting:
    """What every measurement takes."""

    data: Path
    embed: Embed
    embedder: str
    seeds: int
    alone: Embed


@dataclass(frozen=True, slots=True)
class Routed:
    """A configured router's curve on rows that it had not seen."""

    apgr: float
    cpt50: float
    cpt80: float
    signal: bool
    known: float
    curve: tuple[float, ...]


def trained(setting: Setting, rows: Rows, seed: int) -> RouterModel:
    """A model as it comes out of its file."""
    return router_from(train(rows, setting.embed, setting.embedder, seed).model.to_bytes())


def judged(setting: Setting, model: RouterModel, rows: Rows) -> tuple[Floats, NDArray[np.bool_]]:
    """What the model says of each row."""
    return model.judge_all(items_of(rows), setting.embed(rows.prompts).astype(np.float64))


def routed(setting: Setting, model: RouterModel, rows: Rows) -> Routed:
    """The decisions under `strong_share` from 0 to 100 %, with `default: strong`, in the order of the rows.

    The first requests, at which a new process only looks, are not counted.
    """
    quality, known = judged(setting, model, rows)
    points: list[tuple[float, float]] = [(0.0, 0.0), (1.0, 1.0)]
    gain = (rows.quality[:, 1] - rows.quality[:, 0])[LEAST_SEEN:]
    for share in SHARES:
        decider = Decider(model, Rule(strong_share=float(share)))
        chosen = np.array(
            [
                decider.choose(prompt, row, known=bool(is_known))
                for prompt, row, is_known in zip(rows.prompts, quality, known, strict=True)
            ]
        )
        strong = np.where(chosen == DEFAULT, 1, chosen)[LEAST_SEEN:]
        points.append((float(strong.mean()), float((gain * strong).sum() / gain.sum())))
    xs, ys = _steps(points)
    curve = np.interp(np.linspace(0.0, 1.0, 1001), xs, ys)
    return Routed(
        apgr(curve), cpt(curve, 0.5), cpt(curve, 0.8), model.about.signal, float(known.mean()), tuple(ys)
    )


def _steps(points: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    """Points by their share; of equal shares the mean."""
    grouped = [
        (share, mean([value for _, value in group]))
        for share, group in itertools.groupby(sorted(points), key=lambda point: point[0])
    ]
    return np.array([share for share, _ in grouped]), np.array([value for _, value in grouped])


def in_domain(setting: Setting, rows: Rows, labels: int) -> list[Routed]:
    """Learn from some rows, decide on the rest, for each seed."""
    found: list[Routed] = []
    for seed in range(setting.seeds):
        learnt, unseen = sources.seeded(rows, labels, seed)
        found.append(routed(setting, trained(setting, learnt, seed), unseen))
    return found


def r1(setting: Setting) -> list[Measured]:
    """MMLU, 1,500 labels of the same pair."""
    out: list[Measured] = []
    for name, artefact in (("R1", True), ("R1-without-artefact", False)):
        rows = sources.mmlu(setting.data, artefact=artefact)
        found = in_domain(setting, rows, 1500)
        out.append(_pair(name, "MMLU, 1,500 in-domain labels", found, len(rows) - 1500, 0.65, 28.0, 64.0))
    return out


def r2(setting: Setting) -> list[Measured]:
    """GSM8K, 650 labels of the same pair."""
    rows = sources.gsm8k(setting.data)
    return [
        _pair(
            "R2",
            "GSM8K, 650 in-domain labels",
            in_domain(setting, rows, 650),
            len(rows) - 650,
            0.66,
            100.0,
            60.0,
        )
    ]


def _pair(
    name: str, what: str, found: list[Routed], n: int, least: float, most50: float, most80: float
) -> Measured:
    a, c50, c80 = (mean([getattr(each, field) for each in found]) for field in ("apgr", "cpt50", "cpt80"))
    bounds = f"APGR >= {least}" + (f", CPT50 <= {most50:g}" if most50 < 100 else "")
    bounds += f", CPT80 <= {most80:g}" if most80 < 100 else ""
    return Measured(
        name,
        what,
        tuple(each.apgr for each in found),
        bounds,
        a >= least and c50 <= most50 and c80 <= most80,
        n,
        {
            "cpt50": round(c50, 2),
            "cpt80": round(c80, 2),
            "signal": mean([float(each.signal) for each in found]),
            "known": round(mean([each.known for each in found]), 3),
        },
    )


def r3(setting: Setting) -> list[Measured]:
    """MMLU with labels of another pair of models (llama 8b and 405b), on other questions."""
    served = sources.mmlu(setting.data)
    known = {sources.bare(prompt) for prompt in served.prompts}
    rows = sources.cascades(setting.data, "mmlu").of_models(("llama3.1-8b", "llama3.1-405b"))
    plain = tuple(sources.plain_question(prompt) for prompt in rows.prompts)
    own = Rows(plain, ("weak", "strong"), rows.quality, rows.cost)
    own = own.take(np.array([sources.bare(prompt) not in known for prompt in plain]))
    found: list[Routed] = []
    for seed in range(setting.seeds):
        learnt, _ = sources.seeded(own, round(0.9 * len(own)), seed)
        _, unseen = sources.seeded(served, len(served) // 2, seed)
        found.append(routed(setting, trained(setting, learnt, seed), unseen))
    return [
        _pair("R3", f"MMLU, {len(own)} labels of llama 8b/405b", found, len(served) // 2, 0.61, 100.0, 100.0)
    ]


def r4(setting: Setting) -> list[Measured]:
    """Labels of another task: no harm."""
    mmlu, gsm8k = sources.mmlu(setting.data), sources.gsm8k(setting.data)
    alpaca, mt_bench = sources.alpaca(setting.data), sources.mt_bench(setting.data)
    out: list[Measured] = []
    for name, source, labels, served in (
        ("R4-mmlu-gsm8k", mmlu, 1500, gsm8k),
        ("R4-gsm8k-mmlu", gsm8k, 650, mmlu),
        ("R4-alpaca-mtbench", alpaca, 600, mt_bench),
    ):
        found: list[Routed] = []
        for seed in range(setting.seeds):
            learnt, _ = sources.seeded(source, labels, seed)
            found.append(routed(setting, trained(setting, learnt, seed), served))
        least = min(each.apgr for each in found)
        out.append(
            Measured(
                name,
                "labels of another task: falls back to its default",
                tuple(each.apgr for each in found),
                "APGR >= .50 for every seed",
                least >= 0.5,
                len(served),
                {
                    "least": round(least, 4),
                    "signal": mean([float(each.signal) for each in found]),
                    "known": round(mean([each.known for each in found]), 3),
                },
            )
        )
    return [*out, _shuffled(setting, mmlu)]


def _shuffled(setting: Setting, rows: Rows) -> Measured:
    """Labels that say nothing: the router must notice."""
    found: list[Routed] = []
    for seed in range(setting.seeds):
        learnt, unseen = sources.seeded(rows, 1500, seed)
        order = np.random.default_rng(seed).permutation(len(learnt))
        nonsense = Rows(learnt.prompts, learnt.models, learnt.quality[order], learnt.cost)
        found.append(routed(setting, trained(setting, nonsense, seed), unseen.take(np.arange(1500))))
    fooled = sum(each.signal for each in found)
    return Measured(
        "R4-shuffled",
        "shuffled labels: says that there is no signal",
        tuple(each.apgr for each in found),
        "no signal in every seed",
        fooled == 0,
        1500,
        {"fooled": fooled},
    )


def by_worth(
    setting: Setting, learnt: Rows, unseen: Rows, seed: int, worths: Sequence[float]
) -> list[tuple[float, float]]:
    """Mean cost and quality of the decisions, for each worth of a good answer."""
    model, costs = trained(setting, learnt, seed), costs_from(learnt)
    quality, known = judged(setting, model, unseen)
    default = int(np.argmax(learnt.quality.mean(axis=0)))
    points: list[tuple[float, float]] = []
    for worth in worths:
        decider = Decider(model, Rule(worth_usd=float(worth)), costs)
        chosen = [
            decider.choose(prompt, row, known=bool(is_known))
            for prompt, row, is_known in zip(unseen.prompts, quality, known, strict=True)
        ]
        at = np.array([default if each == DEFAULT else each for each in chosen])
        places = np.arange(len(at))
        points.append((float(unseen.cost[places, at].mean()), float(unseen.quality[places, at].mean())))
    return points


def r6(setting: Setting) -> list[Measured]:
    """Eleven models, by cost."""
    train_part, test_part = sources.routerbench(setting.data)
    areas: list[float] = []
    savings: list[float] = []
    oracle: list[float] = []
    rows = _joined(train_part, test_part)
    for seed in range(setting.seeds):
        learnt, unseen = sources.seeded(rows, len(train_part), seed)
        points = np.array(by_worth(setting, learnt, unseen, seed, WORTHS.tolist()))
        single = unseen.cost.mean(axis=0)
        low, high = float(single.min()), float(single.max())
        areas.append(aiq(points[:, 0], points[:, 1], low, high))
        gpt4 = unseen.models.index("gpt-4-1106-preview")
        reached = cost_at(points[:, 0], points[:, 1], float(unseen.quality[:, gpt4].mean()))
        savings.append(1.0 - reached / float(single[gpt4]) if np.isfinite(reached) else -1.0)
        oracle.append(_oracle(unseen, low, high))
    a, saved = mean(areas), mean(savings)
    detail = {"cheaper_at_gpt4": round(saved, 3), "oracle": round(mean(oracle), 3)}
    target = "AIQ >= .860, >= 25 % cheaper at GPT-4's accuracy"
    n = len(rows) - len(train_part)
    return [Measured("R6", "11 models by cost", tuple(areas), target, a >= 0.86 and saved >= 0.25, n, detail)]


def _joined(one: Rows, other: Rows) -> Rows:
    return Rows(
        one.prompts + other.prompts,
        one.models,
        np.concatenate([one.quality, other.quality]),
        np.concatenate([one.cost, other.cost]),
    )


def _oracle(rows: Rows, low: float, high: float) -> float:
    places = np.arange(len(rows))
    points: list[tuple[float, float]] = []
    for worth in WORTHS:
        at = np.argmax(rows.quality * worth - rows.cost, axis=1)
        points.append((float(rows.cost[places, at].mean()), float(rows.quality[places, at].mean())))
    found = np.array(points)
    return aiq(found[:, 0], found[:, 1], low, high)


def r7(setting: Setting) -> list[Measured]:
    """A model that is dearer and worse is not chosen."""
    rows = sources.routerarena(setting.data)
    flash = next(i for i, name in enumerate(rows.models) if "flash" in name)
    differences: list[float] = []
    ratios: list[float] = []
    values: list[float] = []
    for seed in range(setting.seeds):
        learnt, unseen = sources.seeded(rows, len(rows) // 2, seed)
        ((cost, quality),) = by_worth(setting, learnt, unseen, seed, [0.01])
        values.append(quality)
        differences.append(quality - float(unseen.quality[:, flash].mean()))
        ratios.append(cost / float(unseen.cost[:, flash].mean()))
    met = mean(values) >= 0.69 and mean(ratios) <= 1.05
    detail = {"against_flash": round(mean(differences), 4), "cost_ratio": round(mean(ratios), 3)}
    target = ">= .690 at <= 1.05 of flash's cost"
    return [Measured("R7", "dominated model", tuple(values), target, met, len(rows) // 2, detail)]


def r5(setting: Setting) -> list[Measured]:
    """No labels at all: the shipped difficulty, as the node `easy` scores prompts."""
    out: list[Measured] = []
    for name, rows, least in (
        ("R5-mtbench", sources.mt_bench(setting.data), 0.65),
        ("R5-mmlu", sources.mmlu(setting.data), 0.58),
        ("R5-gsm8k", sources.gsm8k(setting.data), 0.60),
    ):
        found = ranked(np.array([difficulty(prompt) for prompt in rows.prompts]), rows)
        length = ranked(np.array([float(len(prompt)) for prompt in rows.prompts]), rows)
        detail = {"length_alone": round(length["apgr"], 4), "cpt80": round(found["cpt80"], 2)}
        value = float(found["apgr"])
        what = "no labels: shipped difficulty"
        out.append(Measured(name, what, (value,), f"APGR >= {least}", value >= least, len(rows), detail))
    return out


def r8(setting: Setting) -> list[Measured]:
    """Time of one decision on one core, the median over prompts."""
    rows = sources.mmlu(setting.data)
    learnt, unseen = sources.seeded(rows, 1500, 0)
    prompts = unseen.prompts[:300]
    out: list[Measured] = []
    for name, embed, most_ms in (("R8-with-embedding", setting.alone, 2.0), ("R8-words", None, 0.1)):
        trained_on = setting.embed if embed is not None else None
        model = router_from(train(learnt, trained_on, setting.embedder, 0).model.to_bytes())
        decider = Decider(model, Rule(strong_share=0.3))
        times: list[float] = []
        for prompt in prompts:
            began = time.thread_time()
            decider.decide(prompt, embed([prompt])[0] if embed is not None else None)
            times.append(1000.0 * (time.thread_time() - began))
        median = float(np.median(times))
        detail = {"p90_ms": round(float(np.quantile(times, 0.9)), 3), "least_ms": round(min(times), 3)}
        what = "milliseconds of processor time of a decision, median"
        out.append(Measured(name, what, (median,), f"<= {most_ms} ms", median <= most_ms, len(prompts), detail))
    return out


PARTS: dict[str, Callable[[Setting], list[Measured]]] = {
    "R1": r1,
    "R2": r2,
    "R3": r3,
    "R4": r4,
    "R5": r5,
    "R6": r6,
    "R7": r7,
    "R8": r8,
}


def ranked(score: Floats, rows: Rows) -> dict[str, Any]:
    """APGR and CPT of scores of two models' rows."""
    curve = recovered(score, rows.quality[:, 0], rows.quality[:, 1])
    return {"apgr": apgr(curve), "cpt50": cpt(curve, 0.5), "cpt80": cpt(curve, 0.8)}
