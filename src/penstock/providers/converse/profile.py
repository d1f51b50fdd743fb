"""What families of models accept behind Converse. Names are searched in model ids, ARNs and profiles.

The table of features is
https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html
"""

from __future__ import annotations

from typing import Literal

from penstock.core.profile import Profile, ProfileRow, profile_for

_SAMPLING = frozenset({"temperature", "top_p", "top_k"})
_MEDIA = frozenset({"image", "video", "audio"})
_NO_TOOLS = frozenset({"tools"})
_CLAUDE_NO = frozenset({"video", "audio"})
_CLAUDE_OLD_NO = _CLAUDE_NO | {"tool.strict"}
_NO_FORCE = frozenset({"tool_choice.required", "tool_choice.named"})
_OPEN = Profile(lacks=frozenset({"video", "audio", "cache", "top_k"}), max_temperature=1.0)

DEFAULT = Profile(max_temperature=1.0)

# An effort word is `low` to `max` for adaptive Claude; `xhigh` came with Opus 4.7.
_CLAUDE_EFFORTS = ("low", "medium", "high", "max")
_CLAUDE_NEW_EFFORTS = ("low", "medium", "high", "xhigh", "max")

ROWS: tuple[ProfileRow, ...] = (
    # They always think, so that no tool can be forced; the cloud's page says that they only think adaptively:
    # https://platform.claude.com/docs/en/models/opus-5-5/migration-guide
    # https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html
    ProfileRow(
        r"claude-(?:(?:fable|mythos)-5-1|(?:opus|sonnet)-5-5)(?!\d)",
        Profile(
            lacks=_CLAUDE_NO | _SAMPLING | _NO_FORCE,
            thinking="always",
            efforts=_CLAUDE_NEW_EFFORTS,
            max_temperature=1.0,
        ),
    ),
    ProfileRow(
        r"claude-(?:fable|mythos)-",
        Profile(
            lacks=_CLAUDE_NO | _SAMPLING, thinking="always", efforts=_CLAUDE_NEW_EFFORTS, max_temperature=1.0
        ),
    ),
    # Adaptive only, no sampling parameters:
    # https://docs.aws.amazon.com/bedrock/latest/userguide/model-card-anthropic-claude-opus-4-7.html
    ProfileRow(
        r"claude-(?:opus|sonnet|haiku)-(?:4-[789]|[5-9])",
        Profile(
            lacks=_CLAUDE_NO | _SAMPLING, thinking="adaptive", efforts=_CLAUDE_NEW_EFFORTS, max_temperature=1.0
        ),
    ),
    # https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html
    ProfileRow(
        r"claude-(?:opus|sonnet)-4-6",
        Profile(lacks=_CLAUDE_NO, thinking="adaptive", efforts=_CLAUDE_EFFORTS, max_temperature=1.0),
    ),
    # https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html names the 4.5 models.
    ProfileRow(
        r"claude-(?:opus|sonnet|haiku)-4-5", Profile(lacks=_CLAUDE_NO, thinking="budget", max_temperature=1.0)
    ),
    # https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
    ProfileRow(
        r"claude-(?:3-7|opus-4|sonnet-4)",
        Profile(lacks=_CLAUDE_OLD_NO, thinking="budget", schema="tool", max_temperature=1.0),
    ),
    ProfileRow(r"claude-3", Profile(lacks=_CLAUDE_OLD_NO, schema="tool", max_temperature=1.0)),
    # The table of features: Claude 2 and Instant take neither tools nor pictures.
    ProfileRow(
        r"claude-(?:v2|instant)",
        Profile(lacks=_CLAUDE_OLD_NO | _MEDIA | _NO_TOOLS | {"cache"}, schema="none", max_temperature=1.0),
    ),
    # https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
    ProfileRow(
        r"nova-2",
        Profile(
            lacks=frozenset({"audio", "tool.strict"}),
            thinking="effort",
            efforts=("low", "medium", "high"),
            schema="tool",
            max_temperature=1.0,
        ),
    ),
    # https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html; Micro takes text alone.
    ProfileRow(
        r"nova-micro",
        Profile(
            lacks=frozenset({"image", "video", "audio", "document", "tool.strict"}),
            schema="tool",
            max_temperature=1.0,
        ),
    ),
    ProfileRow(
        r"nova-", Profile(lacks=frozenset({"audio", "tool.strict"}), schema="tool", max_temperature=1.0)
    ),
    # The table of features: Titan Text takes no system prompt.
    ProfileRow(
        r"titan",
        Profile(lacks=_MEDIA | _NO_TOOLS | {"system", "cache", "top_k"}, schema="none", max_temperature=1.0),
    ),
    # https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html
    ProfileRow(
        r"gpt-oss",
        Profile(
            lacks=_MEDIA | {"cache", "top_k"},
            thinking="effort",
            efforts=("low", "medium", "high"),
            max_temperature=1.0,
        ),
    ),
    # The table of features: R1 takes no tools.
    ProfileRow(
        r"deepseek\.r1",
        Profile(
            lacks=_MEDIA | _NO_TOOLS | {"cache", "top_k"}, thinking="always", schema="none", max_temperature=1.0
        ),
    ),
    ProfileRow(
        r"kimi-k2-thinking",
        Profile(lacks=_MEDIA | {"cache", "top_k"}, thinking="always", max_temperature=1.0),
    ),
    # https://docs.aws.amazon.com/bedrock/latest/userguide/model-card-qwen-qwen3-32b.html
    ProfileRow(
        r"qwen3",
        Profile(
            lacks=frozenset({"video", "audio", "cache", "top_k"}),
            thinking="effort",
            efforts=("low", "medium", "high"),
            max_temperature=1.0,
        ),
    ),
    # https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html: open-weight models.
    ProfileRow(
        r"qwen|deepseek|kimi|minimax|gemma|nemotron|glm-|mistral-large-3|ministral|magistral|voxtral", _OPEN
    ),
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolChoice.html: who can be forced.
    ProfileRow(
        r"llama",
        Profile(
            lacks=frozenset({"video", "audio", "cache", "top_k", "tool.strict"}) | _NO_FORCE,
            schema="tool",
            max_temperature=1.0,
        ),
    ),
    ProfileRow(
        r"mistral|pixtral|devstral",
        Profile(
            lacks=frozenset({"video", "audio", "cache", "tool.strict", "tool_choice.named"}),
            schema="tool",
            max_temperature=1.0,
        ),
    ),
    ProfileRow(
        r"cohere|jamba",
        Profile(
            lacks=_MEDIA | {"cache", "top_k", "tool.strict"} | _NO_FORCE, schema="tool", max_temperature=1.0
        ),
    ),
)

Family = Literal["claude", "nova", "gpt-oss", "qwen", "deepseek", "mistral", "other"]


def converse_profile(model: str) -> Profile:
    """The profile of a model by its id, inference profile or ARN."""
    return profile_for(model, ROWS, DEFAULT)


def family_of(model: str) -> Family:
    """Whose words a model's own fields are in."""
    families: tuple[Family, ...] = ("claude", "nova", "gpt-oss", "qwen", "deepseek", "mistral")
    for name in families:
        if name in model:
            return name
    return "other"
