"""What a vendor says in its usage object that it bills: the *reported* cost.

`cost` is a number of dollars (OpenRouter, Vercel's gateway) or an object with `total_cost` (Perplexity);
`cost_in_usd_ticks` counts ten-thousand-millionths of a dollar (xAI). Where OpenRouter calls a vendor with the
customer's own key (`is_byok`), `cost` is its fee alone, and what that vendor charges stands in `cost_details`.
https://openrouter.ai/docs/use-cases/usage-accounting, https://docs.perplexity.ai/api-reference/chat-completions-post,
https://docs.x.ai/developers/cost-tracking
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.money import round_usd

_TICKS_PER_NANOUSD = 10
_MOST_USD = 1e9


def billed_nanousd(cost: object, ticks: object) -> int | None:
    """`cost` and `cost_in_usd_ticks` as nano-dollars, rounded half up; None where they say nothing."""
    if isinstance(ticks, int | float) and not isinstance(ticks, bool) and 0 <= ticks < _MOST_USD * 1e10:
        return (int(ticks) + _TICKS_PER_NANOUSD // 2) // _TICKS_PER_NANOUSD
    if isinstance(cost, dict):
        cost = cast("dict[str, Any]", cost).get("total_cost")
    if isinstance(cost, int | float) and not isinstance(cost, bool) and 0 <= cost < _MOST_USD:
        return round_usd(cost)
    return None


def billed(said: dict[str, Any]) -> int | None:
    """The cost that a usage object carries."""
    details = said.get("cost_details")
    upstream = (
        cast("dict[str, Any]", details).get("upstream_inference_cost") if isinstance(details, dict) else None
    )
    own_key = said.get("is_byok") is True
    return with_own_key(
        billed_nanousd(said.get("cost"), said.get("cost_in_usd_ticks")), upstream if own_key else None
    )


def with_own_key(cost: int | None, upstream: object) -> int | None:
    """OpenRouter's fee (nano-dollars) and what the vendor behind it charges the customer's key (dollars)."""
    charged = billed_nanousd(upstream, None)
    return cost if cost is None or charged is None else cost + charged
