"""Vendors' second doors: the Messages API in front of models that are not Anthropic's.

For clients of that API, whose bytes then pass. A vendor's first row has the conventional variable.
"""

from __future__ import annotations

from penstock.providers.vendors.row import Vendor

_VERSION = (("anthropic-version", "2023-06-01"),)


def _door(kind: str, title: str, base_url: str, variable: str, source: str) -> Vendor:
    return Vendor(
        kind=kind,
        title=title,
        base_url=base_url,
        api="anthropic",
        speaks=frozenset({"anthropic"}),
        auth="x-api-key",
        variable=variable,
        detected=False,
        headers=_VERSION,
        embed_api="",
        source=source,
    )


ANTHROPIC_SHAPED = (
    _door(
        "deepseek-anthropic",
        "DeepSeek (Anthropic's API)",
        "https://api.deepseek.com/anthropic/v1",
        "DEEPSEEK_API_KEY",
        "https://api-docs.deepseek.com/guides/anthropic_api",
    ),
    _door(
        "moonshot-anthropic",
        "Moonshot AI (Anthropic's API)",
        "https://api.moonshot.ai/anthropic/v1",
        "MOONSHOT_API_KEY",
        "https://platform.moonshot.ai/docs/guide/agent-support",
    ),
    _door(
        "zai-anthropic",
        "Z.ai (Anthropic's API)",
        "https://api.z.ai/api/anthropic/v1",
        "ZAI_API_KEY",
        "https://docs.z.ai/devpack/tool/claude",
    ),
    _door(
        "minimax-anthropic",
        "MiniMax (Anthropic's API)",
        "https://api.minimax.io/anthropic/v1",
        "MINIMAX_API_KEY",
        "https://platform.minimax.io/docs/api-reference/text-anthropic-api",
    ),
)
