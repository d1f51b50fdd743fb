"""The policy of a route: a tree of nodes that says which targets are tried, and in which order.

In the file a bare string is a target and every other node is a mapping with one key that names it, so the
shape there differs from these types; `config.policy` reads one into the other.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from penstock.config.document.cascade import Accept
from penstock.config.document.fields import (
    Count,
    Lateness,
    Name,
    Percent,
    Seconds,
    Share,
    Target,
    Text,
    Url,
    Weight,
)
from penstock.config.document.secret import Secret

# Whom a choice that stays the same is made for. Without a user the session counts, without a session what the
# conversation begins with, without that the key.
By = Literal["user", "session", "prefix", "key", "request"]
Kept = Literal["session", "user", "prefix"]


class TargetNode(msgspec.Struct, frozen=True, kw_only=True, tag="target", tag_field="node"):
    """Try this one target.

    Attributes:
        target: A deployment's name, or `provider/model` (`use` in the file).
        set: Parameters and prompt for this place in the policy, over those of the deployment.
    """

    target: Target
    set: dict[str, Any] = {}


class StaticNode(msgspec.Struct, frozen=True, kw_only=True, tag="static", tag_field="node"):
    """Answer with a fixed text, marked degraded.

    Attributes:
        text: The answer.
    """

    text: Text


class FallbackNode(msgspec.Struct, frozen=True, kw_only=True, tag="fallback", tag_field="node"):
    """Try the children in order until one answers.

    Attributes:
        children: At least one node.
    """

    children: tuple[PolicyNode, ...]


class WeightedBranch(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a weighted choice.

    Attributes:
        use: The node that is used.
        weight: Its share, relative to the sum of all weights; above zero.
    """

    use: PolicyNode
    weight: Weight = 1.0


class WeightedNode(msgspec.Struct, frozen=True, kw_only=True, tag="weighted", tag_field="node"):
    """Choose one branch at random, by weight.

    Attributes:
        branches: At least one branch.
    """

    branches: tuple[WeightedBranch, ...]


class Floor(msgspec.Struct, frozen=True, kw_only=True):
    """The least quality with which a target is used.

    Attributes:
        score: The name of the score, such as `groundedness`.
        min: Its least value. A target is left out while its score over the last hour is below for sure (the
            whole 95 % interval), and comes back when its mean is at `min` or above.
        explore: Share of requests that try a target below the floor, so that its score can rise again.
    """

    score: Name
    min: Share
    explore: Share = 0.02


class CheapestNode(msgspec.Struct, frozen=True, kw_only=True, tag="cheapest", tag_field="node"):
    """Try the children from the cheapest for this request to the dearest.

    Attributes:
        of: At least one node.
        floor: The least quality with which a target is used.
    """

    of: tuple[Policy, ...]
    floor: Floor | None = None


class FastestNode(msgspec.Struct, frozen=True, kw_only=True, tag="fastest", tag_field="node"):
    """Try the children from the fastest of late to the slowest.

    Attributes:
        of: At least one node.
        by: `ttft`, the time to the first token, or `total`, to the end of the answer.
        quantile: Which part of the requests of the last five minutes must have been as fast.
        explore: Share of requests that begin with another than the fastest, so that a slow one can recover.
    """

    of: tuple[Policy, ...]
    by: Literal["ttft", "total"] = "ttft"
    quantile: Literal["p50", "p95"] = "p95"
    explore: Share = 0.05


class StickyNode(msgspec.Struct, frozen=True, kw_only=True, tag="sticky", tag_field="node"):
    """Keep whoever asks at one of the children, as long as it is not out.

    Attributes:
        of: Nodes, or `{use: …, weight: …}`.
        by: What stays together: a `session`, a `user`, or requests with the same `prefix` (system prompt, tools
            and first prompt), whose prompt caches then hit.
    """

    of: tuple[Branch, ...]
    by: Kept = "session"


class CanaryNode(msgspec.Struct, frozen=True, kw_only=True, tag="canary", tag_field="node"):
    """Lead some users to a candidate, the others to what is proven.

    Attributes:
        to: The candidate; where it fails, `from` answers.
        percent: How many users in per cent. More per cent only move users to the candidate, never back.
        from: What is proven.
        by: Who stays on one side.
        salt: Draws other users; without it the route and the candidate do.
    """

    to: Policy
    percent: Percent
    proven: Policy = msgspec.field(name="from")
    by: By = "user"
    salt: Text | None = None


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a comparison.

    Attributes:
        use: The node that is used.
        name: The arm in the ledger's `note.arm`; without it the target's name.
        weight: Its share, relative to the sum of all weights; above zero.
    """

    use: Policy
    name: Name | None = None
    weight: Weight = 1.0


class AbNode(msgspec.Struct, frozen=True, kw_only=True, tag="ab", tag_field="node"):
    """Compare arms on cost, latency, success and scores; see `penstock route ab`.

    Attributes:
        arms: At least two arms. An arm that fails does not fall back to another: that would hide it.
        by: Who stays in one arm.
        salt: Draws the arms anew; without it the route and the arms' names do.
    """

    arms: tuple[ArmItem, ...]
    by: By = "user"
    salt: Text | None = None


class DifficultyRule(msgspec.Struct, frozen=True, kw_only=True):
    """A sign in the prompt that it is hard, or easy.

    Attributes:
        name: Its name in explanations.
        pattern: An RE2 pattern; the case of letters does not count.
        weight: What it adds to the difficulty; below zero it makes easier.
    """

    name: Name
    pattern: Text
    weight: Annotated[float, Meta(ge=-10, le=10)]


class EasyNode(msgspec.Struct, frozen=True, kw_only=True, tag="easy", tag_field="node"):
    """Choose by how hard the prompt looks, without any training.

    Attributes:
        simple: For prompts that look simple.
        default: For all others.
        hard: For prompts that look hard; without it, `default`.
        simple_below: Prompts of less difficulty are simple.
        hard_from: Prompts of this difficulty or more are hard.
        rules: Signs that are looked for, instead of those that come with Penstock.
        add: Signs that are looked for besides.
    """

    simple: Policy
    default: Policy
    hard: Policy | None = None
    simple_below: Annotated[float, Meta(ge=-100, le=100)] | None = None
    hard_from: Annotated[float, Meta(ge=-100, le=100)] | None = None
    rules: tuple[DifficultyRule, ...] | None = None
    add: tuple[DifficultyRule, ...] = ()


class WebhookNode(msgspec.Struct, frozen=True, kw_only=True, tag="webhook", tag_field="node"):
    """Tell a service of yours about the request and answer with the text that it gives, marked degraded.

    Attributes:
        url: Where the facts of the request are posted as JSON.
        secret: Signs each post as Standard Webhooks do: `whsec_` and 24 to 64 random bytes in base64.
        timeout_s: Seconds for its answer, `{"text": "…"}`.
        prompt: Whether the last prompt is sent along.
    """

    url: Url
    secret: Secret | None = None
    timeout_s: Seconds = 5.0
    prompt: bool = False


class HedgeNode(msgspec.Struct, frozen=True, kw_only=True, tag="hedge", tag_field="node"):
    """Start the next child beside the first one where that is late; the first answer wins, both are paid.

    Attributes:
        of: At least two nodes; like `fallback` where one fails.
        after: How long the first may take: a percentile of its own latencies such as `p95`, or seconds.
        max_percent: Share of the route's requests, in per cent, for which there may be a second attempt.
    """

    of: tuple[Policy, ...]
    after: Lateness = "p95"
    max_percent: Percent = 5.0


class WhenCase(msgspec.Struct, frozen=True, kw_only=True):
    """One condition and what it leads to.

    Attributes:
        condition: Predicates over the request, such as `{input_tokens: {$gt: 100000}}`.
        use: The node that is used where they hold.
    """

    condition: dict[str, Any]
    use: PolicyNode


class WhenNode(msgspec.Struct, frozen=True, kw_only=True, tag="when", tag_field="node"):
    """Use the first case whose condition holds.

    Attributes:
        cases: At least one case.
        otherwise: The node that is used where none holds (`else` in the file).
    """

    cases: tuple[WhenCase, ...]
    otherwise: PolicyNode


class CascadeStep(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of a cascade.

    Attributes:
        use: The node that is asked.
        accept: When its answer is good enough; the last step has none, its answer is taken.
    """

    use: Policy
    accept: Accept | None = None


class CascadeNode(msgspec.Struct, frozen=True, kw_only=True, tag="cascade", tag_field="node"):
    """Ask a cheap target first, and a dearer one where the answer does not pass; answers are held back.

    Attributes:
        steps: From the cheapest to the dearest, at least two.
        max_escalations_percent: At most so many requests in per cent go beyond the first step, over the last
            minutes; when they are spent, the answer at hand is taken.
    """

    steps: tuple[StepItem, ...]
    max_escalations_percent: Percent = 100.0


class LearnedNode(msgspec.Struct, frozen=True, kw_only=True, tag="learned", tag_field="node"):
    """Choose by a router that was trained on outcomes; the other children follow as fallbacks.

    Either `cheap` and `strong`, or `targets`. Of `strong_percent`, `recover`, `threshold` and `worth_usd` one
    says when the stronger one is worth it.

    Attributes:
        model: The file that `penstock route train` wrote.
        cheap: The model that the training names first.
        strong: The model that it names last.
        targets: Nodes by the names that the training has.
        default: `cheap`, `strong` or a name in `targets`: used where the router has no signal, is not asked in
            time, or does not know prompts of this kind.
        strong_percent: About so many requests in per cent go to the strong one.
        recover: The share of the gap in quality between the two that is to be closed.
        threshold: How much better the strong one must be expected to do, 0 to 1.
        worth_usd: What a good answer is worth; the best of worth times quality less cost is chosen.
        deadline_s: How long the inference process may take.
    """

    model: Text
    default: Text
    cheap: Policy | None = None
    strong: Policy | None = None
    targets: dict[str, Policy] = {}
    strong_percent: Percent | None = None
    recover: Share | None = None
    threshold: Annotated[float, Meta(ge=-1, le=1)] | None = None
    worth_usd: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None
    deadline_s: Seconds = 0.1


class CachedNode(msgspec.Struct, frozen=True, kw_only=True, tag="cached", tag_field="node"):
    """The last answer to the same request, though it is too old to be used otherwise; marked degraded.

    Where there is none, the policy goes on to what comes next. The route needs a `cache`.

    Attributes:
        max_age_s: How old it may be, in seconds.
    """

    max_age_s: Count = 86_400


PolicyNode = (
    TargetNode
    | StaticNode
    | FallbackNode
    | WeightedNode
    | CheapestNode
    | FastestNode
    | HedgeNode
    | StickyNode
    | CanaryNode
    | AbNode
    | EasyNode
    | WhenNode
    | WebhookNode
    | CascadeNode
    | LearnedNode
    | CachedNode
)
Policy = Annotated[PolicyNode, Meta(extra={"reads": "policy"})]
Branch = Annotated[WeightedBranch, Meta(extra={"reads": "branch"})]
ArmItem = Annotated[Arm, Meta(extra={"reads": "arm"})]
StepItem = Annotated[CascadeStep, Meta(extra={"reads": "step"})]
