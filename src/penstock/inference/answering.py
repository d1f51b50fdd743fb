"""Answers of the inference process: models are read when they are first asked for, and when they change."""

from __future__ import annotations

import importlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from penstock.adapters.embedder.place import EmbedderMissingError
from penstock.inference.costs import CostModel, costs_in
from penstock.inference.deciding import DEFAULT, Decider, Rule, RuleError
from penstock.inference.router_model import Item, ModelFileError, RouterModel, need_of, router_from
from penstock.inference.semantic_answers import SemanticAnswers
from penstock.ports.embedder import WordEmbedder
from penstock.ports.oracle import Question

log = logging.getLogger("penstock.inference")
Answered = tuple[tuple[float, ...], str]
# An answer of ours that says nothing, and why.
Opened = Callable[[], WordEmbedder]
OpenedQuestions = Callable[[WordEmbedder], SemanticAnswers]


class CannotTellError(Exception):
    """The question cannot be answered; the sentence says what to do."""


class _Loaded:
    """A model file as it was read."""

    def __init__(self, stamp: tuple[int, int], model: RouterModel, costs: CostModel | None) -> None:
        self.stamp = stamp
        self.model = model
        self.costs = costs
        # By the rule's text: what it remembers of strange requests goes with the model.
        self.deciders: dict[str, Decider] = {}


class Answering:
    """Knows every model that was asked for. `open_embedder` opens the installed one; it may be missing."""

    def __init__(self, open_embedder: Opened, open_questions: OpenedQuestions | None = None) -> None:
        """`open_questions` opens what the semantic cache knows; without it nobody is answered about that."""
        self._open = open_embedder
        self._open_questions = open_questions
        self._meant: SemanticAnswers | None = None
        self._embedder: WordEmbedder | None = None
        self._loaded: dict[str, _Loaded] = {}
        self._said: set[str] = set()

    def answer(self, question: Question) -> Answered:
        """What is told, or nothing and why. Never raises."""
        try:
            if question.kind == "router":
                return self._route(question), ""
            if question.kind == "scorer":
                return self._score(question), ""
            if question.kind == "function":
                return (_called(question),), ""
            if question.kind == "semantic":
                return self._look(question)
        except (CannotTellError, ModelFileError, RuleError, EmbedderMissingError, OSError) as error:
            self._say(str(error))
            return (), str(error)
        except Exception as error:
            log.exception("a question about %s cannot be answered", question.about)
            return (), f"{type(error).__name__}: {error}"
        return (), f"nobody answers questions of kind {question.kind}"

    def close(self) -> None:
        """Write what is to be written."""
        if self._meant is not None:
            self._meant.close()

    def _look(self, question: Question) -> Answered:
        if self._open_questions is None:
            raise CannotTellError("this process keeps no questions")
        if self._meant is None:
            self._meant = self._open_questions(self._the_embedder())
        return self._meant.answer(question)

    def _the_embedder(self) -> WordEmbedder:
        if self._embedder is None:
            self._embedder = self._open()
        return self._embedder

    def _route(self, question: Question) -> tuple[float, ...]:
        told: dict[str, Any] = json.loads(question.about)
        loaded = self._model(str(told["model"]))
        models = loaded.model.about.models
        names: list[str] = told.get("names") or list(models)
        decider = loaded.deciders.get(question.about)
        if decider is None:
            unknown = [name for name in names if name not in models]
            if unknown:
                raise CannotTellError(
                    f"{told['model']} knows no model {unknown[0]!r}; it knows {', '.join(models)}"
                )
            decider = loaded.deciders[question.about] = Decider(
                loaded.model, Rule(**told["rule"]), loaded.costs
            )
        chosen = decider.decide(question.prompt, self._vector(loaded.model, question.prompt))
        if chosen == DEFAULT or models[chosen] not in names:
            return (float(DEFAULT),)
        return (float(names.index(models[chosen])),)

    def _score(self, question: Question) -> tuple[float, ...]:
        model = self._model(question.about).model
        if model.about.kind != "scorer":
            raise CannotTellError(f"{question.about} looks at prompts only; a cascade needs rows with answers")
        if not model.about.signal:
            raise CannotTellError(f"{question.about}: {model.about.why}")
        item = Item(question.prompt, question.answer, question.logprobs)
        judged = model.judge(item, self._vector(model, question.prompt))
        quality = judged.quality
        # With two models how little the first one's answer needs the second, with one how good it is; 0 to 1.
        kept = 0.5 - 0.5 * float(need_of(quality[None, :])[0]) if len(quality) == 2 else float(quality[0])
        return (kept,) if judged.known else ()

    def _vector(self, model: RouterModel, prompt: str) -> Any:
        if not model.about.embedder:
            return None
        embedder = self._the_embedder()
        if embedder.name != model.about.embedder:
            raise CannotTellError(
                f"the model was trained with {model.about.embedder}, and {embedder.name} is installed: "
                "train it anew, or install that embedder"
            )
        return embedder.embed([prompt])[0]

    def _model(self, path: str) -> _Loaded:
        found = Path(path).stat()
        stamp = (found.st_mtime_ns, found.st_size)
        loaded = self._loaded.get(path)
        if loaded is None or loaded.stamp != stamp:
            model = router_from(Path(path).read_bytes())
            loaded = self._loaded[path] = _Loaded(stamp, model, costs_in(model.about.metrics))
            log.info("%s: %s", path, model.about.why)
        return loaded

    def _say(self, sentence: str) -> None:
        """Once for each trouble."""
        if sentence not in self._said and len(self._said) < 1_000:
            self._said.add(sentence)
            log.warning("%s", sentence)


def _called(question: Question) -> float:
    """What the function `package.module:name` says of the answer: a number, or yes and no."""
    module, _, name = question.about.partition(":")
    told: Mapping[str, object] = {"prompt": question.prompt, "logprobs": question.logprobs}
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise CannotTellError(f"the function {question.about} cannot be had: {error}") from None
    return min(max(float(function(question.answer, told)), 0.0), 1.0)
