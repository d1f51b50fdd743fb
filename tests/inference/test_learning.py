from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from penstock.adapters.tensor_file import TensorFileError, read_tensors, tensor_bytes
from penstock.inference.answering import Answering
from penstock.inference.cascade_tuning import Stages, curve, run, tune_for_cost, tune_for_quality
from penstock.inference.chart import Line, chart
from penstock.inference.costs import costs_from
from penstock.inference.curves import aiq, apgr, cpt, quality, recovered
from penstock.inference.deciding import DEFAULT, LEAST_SEEN, Decider, Rule, RuleError
from penstock.inference.ridge import Spectrum
from penstock.inference.router_model import Item, ModelFileError, RouterModel, router_from
from penstock.inference.rows import Rows, RowsError, read_rows, split
from penstock.inference.training import train
from penstock.ports.embedder import WordEmbedder
from penstock.ports.oracle import Question

EASY = ("what is the capital of", "who wrote the book about", "give me a synonym of")
HARD = ("prove the theorem about", "solve the equation with", "derive step by step the integral of")
THINGS = ("rivers", "mills", "gates", "stones", "music", "light", "paper", "water", "trees", "clouds")


def some_rows(count: int = 240, seed: int = 0, *, told: bool = True) -> Rows:
    """Prompts of two kinds: the weak model fails at the hard ones, where `told`; else outcomes are chance."""
    rng = np.random.default_rng(seed)
    hard = rng.random(count) < 0.5
    prompts: list[str] = []
    for at, is_hard in enumerate(hard.tolist()):
        one, other = rng.choice(THINGS, 2).tolist()
        prompts.append(f"{rng.choice(HARD if is_hard else EASY)} {one} and {other}? ({at})")
    right = np.where(hard, 0.25, 0.9) if told else np.full(count, 0.6)
    values = np.column_stack([rng.random(count) < right, rng.random(count) < 0.92]).astype(np.float64)
    cost = np.column_stack([np.full(count, 1e-5), np.full(count, 2e-4)])
    return Rows(tuple(prompts), ("weak", "strong"), values, cost)


def letters(prompts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors of counted letters: an embedding that needs no model."""
    made = np.array([[prompt.lower().count(chr(97 + at)) + 0.1 for at in range(26)] for prompt in prompts])
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


class Letters:
    """The same as ports.embedder has it."""

    name = "letters"
    dimensions = 26

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ports.embedder."""
        return letters(texts)

    def embed_words(
        self, text: str, spans: Sequence[tuple[int, int]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See ports.embedder."""
        return letters([text])[0], letters([text[start:end] for start, end in spans])


def model_of(rows: Rows) -> RouterModel:
    """A model as it comes out of its file."""
    return router_from(train(rows, letters, "letters").model.to_bytes())


def test_a_router_learns_which_prompts_need_the_strong_model() -> None:
    """On prompts that it has not seen it is far better than chance, and says that there is a signal."""
    model, unseen = model_of(some_rows()), some_rows(200, seed=7)
    judged, known = model.judge_all([Item(p) for p in unseen.prompts], letters(unseen.prompts).astype(float))
    found = quality(judged[:, 1] - judged[:, 0], unseen.quality[:, 0], unseen.quality[:, 1])
    assert model.about.signal
    assert found.apgr > 0.65
    assert known.mean() > 0.8


def test_shuffled_labels_are_seen_through() -> None:
    """A router without a signal says so, and chooses its default always."""
    for seed in range(4):
        rows = some_rows(seed=seed)
        order = np.random.default_rng(seed).permutation(len(rows))
        model = model_of(Rows(rows.prompts, rows.models, rows.quality[order], rows.cost))
        assert not model.about.signal
        assert "cannot be told" in model.about.why
        decider = Decider(model, Rule(strong_share=0.5))
        assert {decider.decide(prompt, letters([prompt])[0]) for prompt in rows.prompts[:40]} == {DEFAULT}


def test_preferences_are_no_signal_unless_they_are_trusted() -> None:
    """What somebody liked is not what was right."""
    rows = some_rows()
    liked = Rows(rows.prompts, rows.models, rows.quality, rows.cost, preferences=True)
    assert not train(liked, None).model.about.signal
    assert train(liked, None, trust_preferences=True).model.about.signal


def test_strange_traffic_gets_the_default() -> None:
    """A prompt of another kind is not judged, and where most are, none is."""
    model = model_of(some_rows())
    decider = Decider(model, Rule(strong_share=0.5))
    own = list(some_rows(60, seed=3).prompts)
    decided = [decider.decide(prompt, letters([prompt])[0]) for prompt in own]
    assert set(decided[:LEAST_SEEN]) == {DEFAULT}
    assert {0, 1} <= set(decided[LEAST_SEEN:])
    strange = [f"zzz {at} qqq xxx" for at in range(120)]
    assert {decider.decide(prompt, letters([prompt])[0]) for prompt in strange} == {DEFAULT}
    assert decider.decide(own[0], letters([own[0]])[0]) == DEFAULT


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_share_of_strong_calls_is_about_kept(share: float) -> None:
    """The threshold comes from rows left out, so that new prompts are divided alike."""
    model, unseen = model_of(some_rows(400)), some_rows(300, seed=5)
    decider = Decider(model, Rule(strong_share=share))
    decided = [decider.decide(prompt, letters([prompt])[0]) for prompt in unseen.prompts]
    chosen = [each for each in decided if each != DEFAULT]
    assert sum(chosen) / len(chosen) == pytest.approx(share, abs=0.15)


def test_worth_decides_by_money() -> None:
    """A worthless answer comes from the cheapest model, a precious one from the best."""
    rows = some_rows()
    model, costs = model_of(rows), costs_from(rows)
    for worth, wanted in ((1e-7, {0}), (1e3, {1})):
        decider = Decider(model, Rule(worth_usd=worth), costs)
        hard = [prompt for prompt in some_rows(120, seed=9).prompts if prompt.startswith(HARD)]
        decided = {decider.decide(prompt, letters([prompt])[0]) for prompt in hard}
        assert decided == wanted
    with pytest.raises(RuleError, match="costs"):
        Decider(model, Rule(worth_usd=1.0))


def test_a_damaged_or_foreign_file_is_refused() -> None:
    """Whatever stands in the file, reading it gives a model or a sentence."""
    good = train(some_rows(80), None).model.to_bytes()
    other = good.replace(b"router-1", b"router-0")
    for bad in (b"", b"\x80\x04pickle", good[:-40], tensor_bytes({}, {}), other):
        with pytest.raises(ModelFileError):
            router_from(bad)
    with pytest.raises(TensorFileError, match="outside"):
        read_tensors(tensor_bytes({"a": np.zeros(4)}, {})[:-8])


def test_a_file_says_the_same_as_the_model_that_was_trained() -> None:
    """Numbers are kept in half the bytes, which moves nothing; the same rows give the same file."""
    trained = train(some_rows(100), letters, "letters").model
    again = router_from(trained.to_bytes())
    prompt = "prove the theorem about mills and gates?"
    one = trained.judge(Item(prompt), letters([prompt])[0])
    other = again.judge(Item(prompt), letters([prompt])[0])
    assert one.quality == pytest.approx(other.quality, abs=1e-4)
    assert train(some_rows(100), letters, "letters").model.to_bytes() == trained.to_bytes()


def test_left_out_predictions_are_those_of_fits_without_the_row() -> None:
    """The closed form equals fitting as often as there are rows."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)), rng.normal(size=(12, 2))
    kernel = x @ x.T
    said = Spectrum.of(kernel).left_out(y, 0.7)
    for row in range(12):
        others = np.delete(np.arange(12), row)
        dual = np.linalg.solve(kernel[np.ix_(others, others)] + 0.7 * np.eye(11), y[others])
        assert said[row] == pytest.approx(kernel[row, others] @ dual)


def test_curves_of_chance_and_of_the_oracle() -> None:
    """Equal scores are chance: .5, 50, 80. The oracle asks only where it helps."""
    weak, strong = np.array([1.0, 0.0, 1.0, 0.0]), np.array([1.0, 1.0, 1.0, 0.0])
    flat = recovered(np.zeros(4), weak, strong)
    assert (apgr(flat), cpt(flat, 0.5), cpt(flat, 0.8)) == pytest.approx((0.5, 50.0, 80.0))
    best = recovered(strong - weak, weak, strong)
    assert cpt(best, 0.8) == pytest.approx(20.0)
    assert aiq(np.array([1.0, 3.0]), np.array([0.5, 0.9]), 1.0, 3.0) == pytest.approx(0.7)


def test_rows_are_read_and_their_faults_are_named(tmp_path: Path) -> None:
    """Outcomes and preferences; the line at fault stands in the sentence."""
    path = tmp_path / "rows.jsonl"
    lines = [{"prompt": "a", "outcomes": {"m": 1}}, {"prompt": "b", "a": "m", "b": "n", "winner": "tie"}]
    path.write_text("\n".join(json.dumps(line) for line in lines))
    rows = read_rows(path)
    assert rows.models == ("m", "n")
    assert rows.quality[1].tolist() == [0.5, 0.5]
    assert rows.preferences
    for bad in (
        '{"prompt": 1}',
        '{"prompt": "a", "outcomes": {"m": 2}}',
        "[",
        '{"prompt": "a", "outcomes": {}}',
    ):
        path.write_text(f'{{"prompt": "a", "outcomes": {{"m": 1}}}}\n{bad}')
        with pytest.raises(RowsError, match=":2"):
            read_rows(path)


def test_equal_prompts_are_never_parted() -> None:
    """A prompt that was learnt is not measured on."""
    rows = some_rows(100)
    twice = Rows(rows.prompts * 2, rows.models, np.tile(rows.quality, (2, 1)), np.tile(rows.cost, (2, 1)))
    learnt, unseen = split(twice, 0.3, "x")
    assert not set(learnt.prompts) & set(unseen.prompts)
    assert len(learnt) + len(unseen) == 200


def some_stages(count: int, seed: int, gap: float = 0.3) -> Stages:
    """A cheap model whose log probability tells how likely it is right, and a reference."""
    rng = np.random.default_rng(seed)
    sure = rng.random(count)
    right = rng.random(count) < 1.0 - gap * (1.0 - sure) * 2.0
    best = rng.random(count) < 0.95
    values = np.column_stack([right, best]).astype(np.float64)
    cost = np.column_stack([np.full(count, 1.0), np.full(count, 20.0)])
    return Stages(("cheap", "dear"), values, cost, np.column_stack([-np.exp(-6.0 * sure), np.zeros(count)]))


def test_a_tuned_cascade_keeps_its_promise_on_rows_not_seen() -> None:
    """Over twenty draws it saves, and its quality stays within the tolerance on the whole."""
    differences: list[float] = []
    saved: list[float] = []
    for seed in range(20):
        tuned = tune_for_quality(some_stages(300, seed), 0.01)
        unseen = some_stages(4_000, 1_000 + seed)
        reached, cost = run(unseen, tuned.steps if tuned is not None else ())
        differences.append(float((reached - unseen.quality[:, -1]).mean()))
        saved.append(1.0 - float(cost.sum() / unseen.cost[:, -1].sum()))
    assert np.mean(differences) > -0.01
    assert sum(each < -0.02 for each in differences) <= 4
    assert np.mean(saved) > 0.05


def test_nothing_is_tuned_where_nothing_is_sure() -> None:
    """A signal that tells nothing of a bad model leaves everything to the reference."""
    stages = some_stages(300, 0, gap=0.9)
    noise = np.random.default_rng(1).normal(-1.0, 0.2, stages.signal.shape)
    assert tune_for_quality(Stages(stages.names, stages.quality, stages.cost, noise), 0.005) is None
    assert tune_for_quality(some_stages(20, 0), 0.01) is None


def test_a_threshold_never_parts_equal_signals() -> None:
    """Where all answers are equally sure there is one threshold: all or nothing."""
    stages = some_stages(200, 0)
    same = Stages(stages.names, stages.quality, stages.cost, np.full_like(stages.signal, -0.5))
    assert [round(point.accepted, 3) for point in curve(same, 0)] == [1.0]


def test_a_cost_is_kept() -> None:
    """The dearest cascade that costs no more."""
    tuned = tune_for_cost(some_stages(300, 2), 12.0)
    assert tuned is not None
    assert run(some_stages(300, 2), tuned.steps)[1].mean() <= 12.0


def test_a_chart_has_every_line_and_escapes_names() -> None:
    """It is well-formed, and a name with signs in it stays a name."""
    made = chart("a < b", "x", "y", [Line("one & two", [(0.0, 0.0), (1.0, 2.0)]), Line("flat", [(0.0, 1.0)])])
    assert made.count("<polyline") == 2
    assert "a &lt; b" in made
    assert "one &amp; two" in made


def none_installed() -> WordEmbedder:
    """Nobody asks for vectors here."""
    raise AssertionError


def test_questions_are_answered_from_files(tmp_path: Path) -> None:
    """The chosen child by its place, -1 for the default, and a sentence for what cannot be told."""
    path = tmp_path / "r.model"
    path.write_bytes(train(some_rows(), None).model.to_bytes())
    answering = Answering(none_installed)
    about = json.dumps({"model": str(path), "names": ["strong", "weak"], "rule": {"strong_share": 0.5}})
    told = [answering.answer(Question("router", about, prompt)) for prompt in some_rows(60, seed=4).prompts]
    assert {each[0] for each in told[:LEAST_SEEN]} == {(-1.0,)}
    assert {each[0] for each in told[LEAST_SEEN:]} == {(0.0,), (1.0,)}
    missing = json.dumps({"model": str(tmp_path / "no"), "names": [], "rule": {}})
    for question in (
        Question("router", missing, "x"),
        Question("router", json.dumps({"model": str(path), "names": ["other"], "rule": {}}), "x"),
        Question("scorer", str(path), "x"),
        Question("function", "no.such.module:f", "x"),
        Question(cast("Any", "judge"), "r", "x"),
    ):
        nothing, why = answering.answer(question)
        assert nothing == ()
        assert why


def test_a_model_wants_the_embedder_that_it_was_trained_with(tmp_path: Path) -> None:
    """Vectors of another embedder are not compared; the sentence says what to do."""
    path = tmp_path / "r.model"
    path.write_bytes(train(some_rows(), letters, "other").model.to_bytes())
    about = json.dumps({"model": str(path), "names": [], "rule": {"strong_share": 0.5}})
    told, why = Answering(Letters).answer(Question("router", about, "x"))
    assert told == ()
    assert "train it anew" in why
