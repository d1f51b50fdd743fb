"""What Google's search did for an answer.

Up to Gemini 2.5 an answer that was searched for is billed, from Gemini 3 on each different query, empty ones
left out: https://ai.google.dev/gemini-api/docs/google-search#pricing. Both are counted; the price says which
matters. Maps are billed otherwise, and not told apart in the answer.
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.usage import NO_TOOLS, ToolUse

_MOST = 1000


def queries_of(candidates: Any) -> set[str]:
    """The different queries with which the web was searched for these candidates."""
    found: set[str] = set()
    for each in cast("list[Any]", candidates) if isinstance(candidates, list) else ():
        asked = _member(_member(each, "groundingMetadata"), "webSearchQueries")
        if isinstance(asked, list):
            words = cast("list[Any]", asked)[:_MOST]
            found.update(query for query in words if isinstance(query, str) and query.strip())
    return found


def _member(value: Any, name: str) -> Any:
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


def searched(queries: set[str]) -> ToolUse:
    """What that many searches count."""
    return ToolUse(web_searches=len(queries), grounded_answers=1) if queries else NO_TOOLS
