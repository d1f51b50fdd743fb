"""Vendors' second doors: the Messages API in front of models that are not Anthropic's.

For clients of that API, whose bytes then pass. A vendor's first row has the conventional variable. Most take
the key as a bearer token, which is what their pages for Claude Code set (`ANTHROPIC_AUTH_TOKEN`).
"""

from __future__ import annotations

from penstock.providers.vendors.row import Auth, Vendor

_VERSION = (("anthropic-version", "2023-06-01"),)


def _door(kind: str, title: str, base_url: str, variable: str, source: str, auth: Auth = "bearer") -> Vendor:
    return Vendor(
        kind=kind,
        title=title,
        base_url=base_url,
        api="anthropic",
        speaks=frozenset({"anthropic"}),
        auth=auth,
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
        "x-api-key",
    ),
    _door(
        "moonshot-anthropic",
        "Moonshot AI (Anthropic's API)",
        "https://api.moonshot.ai/anthropic/v1",
        "MOONSHOT_API_KEY",
        "https://platform.kimi.ai/docs/guide/claude-code-kimi",
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
        "https://platform.minimax.io/docs/api-reference/text-chat-anthropic",
    ),
    _door(
        "alibaba-anthropic",
        "Alibaba Cloud Model Studio (Anthropic's API)",
        "https://dashscope-intl.aliyuncs.com/apps/anthropic/v1",
        "DASHSCOPE_API_KEY",
        "https://help.aliyun.com/en/model-studio/anthropic-api-messages",
    ),
    _door(
        "deepinfra-anthropic",
        "DeepInfra (Anthropic's API)",
        "https://api.deepinfra.com/anthropic/v1",
        "DEEPINFRA_API_KEY",
        "https://docs.deepinfra.com/api-reference/chat-completions/anthropic-messages",
    ),
    _door(
        "openrouter-anthropic",
        "OpenRouter (Anthropic's API)",
        "https://openrouter.ai/api/v1",
        "OPENROUTER_API_KEY",
        "https://openrouter.ai/docs/api/api-reference/anthropic-messages/create-messages",
    ),
    _door(
        "vercel-anthropic",
        "Vercel AI Gateway (Anthropic's API)",
        "https://ai-gateway.vercel.sh/v1",
        "AI_GATEWAY_API_KEY",
        "https://vercel.com/docs/ai-gateway/anthropic-messages-api",
    ),
)
