"""What Mistral's models accept.

`lacks` names, besides fields of the pivot, `user.after_tool`: a user may not speak right after a tool's result.
"""

from __future__ import annotations

from dataclasses import replace

from penstock.core.profile import Profile, ProfileRow

# https://docs.mistral.ai/api/#tag/chat/operation/chat_completion_v1_chat_completions_post
DEFAULT = Profile(
    lacks=frozenset(
        {
            "top_k", "logit_bias", "logprobs", "top_logprobs", "modalities", "verbosity", "user", "store",
            "service_tier", "cache", "developer", "video", "tool.custom", "audio", "user.after_tool",
            "reasoning",
        }
    ),
    max_temperature=1.5,
)  # fmt: skip

ROWS: tuple[ProfileRow, ...] = (
    # https://docs.mistral.ai/capabilities/reasoning/native: always thinks.
    ProfileRow("magistral", replace(DEFAULT, thinking="always", thinking_field="content")),
    # https://docs.mistral.ai/capabilities/audio
    ProfileRow("voxtral", replace(DEFAULT, lacks=DEFAULT.lacks - {"audio"})),
    # https://docs.mistral.ai/capabilities/reasoning/adjustable: `reasoning_effort` of none or high.
    ProfileRow(
        r"mistral-(?:small|medium)-(?:latest|26)",
        replace(
            DEFAULT,
            lacks=DEFAULT.lacks - {"user.after_tool", "reasoning"},
            thinking="effort",
            efforts=("none", "high"),
            thinking_field="content",
        ),
    ),
    # https://docs.mistral.ai/getting-started/models: text only.
    ProfileRow(
        r"codestral|ministral-.*24|open-mistral|open-mixtral|mistral-tiny",
        replace(DEFAULT, lacks=DEFAULT.lacks | {"image"}),
    ),
)
