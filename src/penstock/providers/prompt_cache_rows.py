"""Which targets can be told what of a prompt to cache, how, and from which length on.

Least lengths in tokens, looked up on 2026-11-21:
Anthropic's own API https://docs.litellm.ai/docs/completion/prompt_caching (its table cites the vendor's pages),
Bedrock https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html. Shorter prefixes are no error;
they are not cached. A model that no row names gets no marks on Bedrock, where an unknown model refuses them.
Keys: OpenAI https://developers.openai.com/api/docs/guides/prompt-caching, Azure
https://learn.microsoft.com/en-us/azure/foundry/openai/how-to/prompt-caching, Mistral
https://docs.mistral.ai/studio-api/conversations/advanced/prompt-caching.
"""

from __future__ import annotations

import re

from penstock.core.prompt_cache import PromptCacheRule
from penstock.core.target import Target

_CLAUDE = (
    (r"(?:opus|fable|mythos)-5", 512),
    (r"haiku-4[-.]5|opus-4[-.][56](?!\d)", 4096),
    (r"3-5-haiku|haiku-3[-.]5|3-haiku|haiku-3", 2048),
    (r"claude|opus|sonnet|haiku|fable|mythos", 1024),
)
_BEDROCK = (
    (r"opus-5", 512),
    (r"haiku-4[-.]5|opus-4[-.][567](?!\d)", 4096),
    (r"3-5-haiku", 2048),
    (r"claude-(?:3-7|(?:sonnet|opus|haiku)-[4-9])", 1024),
    (r"\bnova-(?:micro|lite|pro|premier|2)", 1024),
)
_MARKED = {
    "anthropic": _CLAUDE,
    "vertex.anthropic": _CLAUDE,
    "bedrock.anthropic": _BEDROCK,
    "converse": _BEDROCK,
}
# Whose own addresses take a key; a compatible server elsewhere may refuse what it does not know.
_KEYED = {"openai": "api.openai.com", "mistral": "api.mistral.ai"}
_KEYED_ANYWHERE = frozenset({"azure", "azure-deployments", "azure-government", "azure-foundry"})
KEY_TOKENS = 1024
# Vendors with Anthropic's API and models of their own, which are not in the rows.
_OTHER_TOKENS = 1024


def prompt_cache_rule(target: Target, ttl_s: int, *, always: bool) -> PromptCacheRule | None:
    """How this target's prompts can be cached; None where nothing can be said, or need be."""
    rows = _MARKED.get(target.api)
    if rows is not None:
        least = next((tokens for pattern, tokens in rows if re.search(pattern, target.model)), None)
        if least is None and rows is _CLAUDE:
            least = _OTHER_TOKENS
        return PromptCacheRule("marks", least, ttl_s, always) if least is not None else None
    if target.kind in _KEYED_ANYWHERE or _KEYED.get(target.kind) == target.origin.host:
        return PromptCacheRule("key", KEY_TOKENS, ttl_s, always)
    return None
