"""Cascades and learned routers of a document: what is asked of an answer, and what of the inference process."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

from penstock.compile.targets import CompileError
from penstock.config import document as doc
from penstock.config.held_back_checks import RULES, parts
from penstock.core.asking import LearnedNode
from penstock.core.cascade import Acceptance, CascadeNode, CascadeStep
from penstock.core.judge import RUBRIC, JudgeRule
from penstock.core.policy import PolicyNode
from penstock.core.regex import Patterns
from penstock.core.verdict import Bounds

Compile = Callable[[doc.PolicyNode], PolicyNode]
CONFIDENT = 1.0


def asks_inference(document: doc.Document) -> bool:
    """Whether a route asks a model or somebody's function, so that the inference process is needed."""
    if any(route.cache is not None and route.cache.semantic is not None for route in document.routes.values()):
        return True
    return any(
        isinstance(node, doc.LearnedNode)
        or (isinstance(node, doc.Accept) and (node.scorer is not None or node.function is not None))
        for route in document.routes.values()
        for node in parts(route.policy)
    )


def holds_back(policy: doc.PolicyNode) -> bool:
    """Whether a policy sees whole answers before one is passed on."""
    return any(isinstance(node, doc.CascadeNode) for node in parts(policy))


def cascade_of(config: doc.CascadeNode, node: Compile, route: str) -> CascadeNode:
    """The cascade, its checks ready. Raises CompileError."""
    steps = tuple(
        [
            CascadeStep(node(step.use), acceptance_of(step.accept) if step.accept is not None else None)
            for step in config.steps
        ]
    )
    return CascadeNode(steps, config.max_escalations_percent / 100, f"cascade {route}")


def acceptance_of(accept: doc.Accept) -> Acceptance:
    """What must hold of an answer. Raises CompileError."""
    logprob, length, agreement = accept.logprob, accept.length, accept.agreement
    bounds = Bounds(
        mean_logprob=logprob.mean if logprob is not None else None,
        least_logprob=logprob.min if logprob is not None else None,
        confidence=accept.confidence,
        fewest_chars=length.min if length is not None else 0,
        most_chars=length.max if length is not None else None,
        refusal_passes=not accept.not_refusal,
        schema=schema_check(accept.schema) if accept.schema is not None else None,
        pattern=_pattern(accept.regex) if accept.regex is not None else None,
    )
    return Acceptance(
        bounds,
        samples=agreement.samples if agreement is not None else 1,
        share=agreement.share if agreement is not None else CONFIDENT,
        scorer=accept.scorer.model if accept.scorer is not None else "",
        least_score=accept.scorer.min if accept.scorer is not None else 0.0,
        function=accept.function or "",
        judge=_judge(accept.judge) if accept.judge is not None else None,
        deadline_s=accept.deadline_s,
        error_passes=accept.on_error == "accept",
    )


def _judge(judge: doc.JudgeBound) -> JudgeRule:
    rubric = judge.prompt.strip() if judge.prompt is not None else RUBRIC
    return JudgeRule(judge.route, judge.min, rubric, judge.max_tokens, judge.sees == "conversation")


def schema_check(schema: dict[str, Any]) -> Callable[[Any], bool]:
    """Says whether a JSON value obeys the schema. Raises CompileError where it is none.

    Nothing is fetched: a schema that refers to another document is refused.
    """
    # Only routes with a schema need it, so that the gateway does not import it otherwise.
    library = importlib.import_module("jsonschema_rs")

    def refuse(uri: str) -> Any:
        raise ValueError(f"it refers to {uri}, which is not fetched")

    try:
        return library.validator_for(schema, retriever=refuse).is_valid
    except ValueError as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CompileError(f"accept.schema is no JSON schema: {reason}") from None


def _pattern(text: str) -> Callable[[str], bool]:
    patterns = Patterns([text])

    def found(answer: str) -> bool:
        return bool(patterns.found(answer))

    return found


def learned_of(config: doc.LearnedNode, node: Compile) -> LearnedNode:
    """The node, with the question to the inference process as it will be asked. Raises CompileError."""
    if config.targets:
        names, below = tuple(config.targets), tuple(config.targets.values())
    elif config.cheap is not None and config.strong is not None:
        names, below = ("cheap", "strong"), (config.cheap, config.strong)
    else:
        raise CompileError("learned: write cheap and strong, or targets")
    about = {
        "model": config.model,
        "names": list(names) if config.targets else [],
        "rule": rule_of(config),
    }
    return LearnedNode(
        tuple([node(child) for child in below]),
        json.dumps(about, sort_keys=True),
        names.index(config.default),
        config.deadline_s,
    )


def rule_of(config: doc.LearnedNode) -> dict[str, float]:
    """The rule in the words of inference.deciding."""
    said = next(rule for rule in RULES if getattr(config, rule) is not None)
    value: float = getattr(config, said)
    return {"strong_share": value / 100} if said == "strong_percent" else {said: value}
