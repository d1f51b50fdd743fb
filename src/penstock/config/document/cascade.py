"""When an answer of a cascade is good enough."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from penstock.config.document.fields import CountOrNone, Name, Seconds, Share, Text

LogProb = Annotated[float, Meta(ge=-100, le=0)]
Samples = Annotated[int, Meta(ge=2, le=10)]


class LogprobBound(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on the log probabilities of an answer's tokens.

    The target must be asked for them: `set: {logprobs: true}`. An answer without any does not pass.

    Attributes:
        mean: The least mean over all tokens, 0 or below.
        min: The least log probability of any token, 0 or below.
    """

    mean: LogProb | None = None
    min: LogProb | None = None


class AgreementBound(msgspec.Struct, frozen=True, kw_only=True):
    """Several answers that must come down to the same.

    Attributes:
        samples: How many answers are asked for, one after the other; no more than can still decide.
        share: Which share of them must agree.
    """

    samples: Samples = 3
    share: Annotated[float, Meta(gt=0, le=1)] = 1.0


class LengthBound(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on an answer's length in characters, without space at its ends.

    Attributes:
        min: At least so many.
        max: At most so many.
    """

    min: CountOrNone = 0
    max: CountOrNone | None = None


class ScorerBound(msgspec.Struct, frozen=True, kw_only=True):
    """A trained scorer, asked in the inference process.

    Attributes:
        model: The file that `penstock route train` wrote from rows with answers.
        min: The least score.
    """

    model: Text
    min: Share


class JudgeBound(msgspec.Struct, frozen=True, kw_only=True):
    """Another route that grades the answer.

    Attributes:
        route: The route or deployment that is asked, within what this route requires of targets.
        min: The least grade, 0 to 1.
        prompt: By what it grades, instead of the shipped rubric. How it has to reply is added in any case.
        sees: What it is shown beside the answer: the last `question`, or the whole `conversation` with its
            system prompt.
        max_tokens: The longest verdict, reasoning included.
    """

    route: Name
    min: Share = 0.7
    prompt: Text | None = None
    sees: Literal["question", "conversation"] = "question"
    max_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] = 1024


class Accept(msgspec.Struct, frozen=True, kw_only=True):
    """When an answer is good enough; everything that is named must hold.

    Attributes:
        logprob: Bounds on its tokens' log probabilities.
        confidence: The least confidence that the answer states of itself (`Confidence: 85%`).
        agreement: Several answers that must agree.
        schema: A JSON schema that the answer, as JSON, must obey; references to other documents are refused.
        regex: An RE2 pattern that must be found in it.
        length: Bounds on its length.
        not_refusal: Whether an answer that begins like a refusal goes further.
        scorer: A trained scorer.
        function: A Python function `package.module:name` that gets the answer and a mapping with `prompt` and
            `logprobs`, and returns true or false, or a number of which 0.5 passes. It runs in the inference
            process.
        judge: Another route that grades the answer.
        deadline_s: How long a scorer, function or judge may take.
        on_error: What becomes of an answer of which a scorer, function or judge says nothing in time.
    """

    logprob: LogprobBound | None = None
    confidence: Share | None = None
    agreement: AgreementBound | None = None
    schema: dict[str, Any] | None = None
    regex: Text | None = None
    length: LengthBound | None = None
    not_refusal: bool = False
    scorer: ScorerBound | None = None
    function: Annotated[str, Meta(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] | None = None
    judge: JudgeBound | None = None
    deadline_s: Seconds = 2.0
    on_error: Literal["escalate", "accept"] = "escalate"
