"""What OpenAI's models and those of compatible vendors accept on chat completions.

`ROWS` are OpenAI's own families (and Azure's), by model name. `VENDORS` are compatible vendors by their name
in the configuration; `DEFAULT` is a compatible server of which nothing is known. Names in `lacks` that are
not fields of ChatRequest: `cache` (hints), `developer` (the role), `tool.custom`, `document.link`,
`image.link`, `video`; `temperature.thinking` and its like: not while it thinks; `call.thoughtless`: a turn that
calls tools must carry its thinking's member, be it empty.
"""

from __future__ import annotations

from dataclasses import replace

from penstock.core.profile import Profile, ProfileRow

_FILES = frozenset({"document.link", "video", "audio.link"})
_EXTENSIONS = frozenset({"top_k", "cache"}) | _FILES
_SAMPLING = frozenset(
    {"temperature", "top_p", "frequency_penalty", "presence_penalty", "logprobs", "top_logprobs", "logit_bias"}
)
_OPENAI_ONLY = frozenset(
    {"metadata", "store", "cache_key", "developer", "verbosity", "tool.custom", "service_tier"}
)

# https://platform.openai.com/docs/api-reference/chat/create
_CHAT = Profile(
    lacks=_EXTENSIONS | {"reasoning", "verbosity", "tool.custom"},
    cap_field="max_completion_tokens",
    max_stop=4,
)
# https://platform.openai.com/docs/guides/reasoning: no sampling parameters, its own name of the bound.
_REASONING = Profile(
    lacks=_EXTENSIONS | _SAMPLING | {"verbosity", "tool.custom", "audio"},
    thinking="effort",
    efforts=("low", "medium", "high"),
    cap_field="max_completion_tokens",
    max_stop=4,
)
# https://platform.openai.com/docs/guides/latest-model: verbosity, custom tools, more words of effort. `stop` is
# answered with `unsupported_parameter`: https://github.com/huggingface/smolagents/pull/1662 and 1868.
_GPT5 = replace(
    _REASONING,
    lacks=_EXTENSIONS | _SAMPLING | {"audio", "stop"},
    efforts=("minimal", "low", "medium", "high"),
)
# The same page: from 5.1 on it does not think unless told to, and takes these while it does not.
_WITHOUT_THOUGHT = frozenset({"temperature", "top_p", "logprobs", "top_logprobs"})
_GPT51 = replace(
    _GPT5,
    lacks=(_GPT5.lacks - _WITHOUT_THOUGHT) | {f"{each}.thinking" for each in _WITHOUT_THOUGHT},
    efforts=("none", "low", "medium", "high"),
)

# https://developers.openai.com/api/docs/guides/deployment-checklist. Where there are responses, too, they are
# asked by those for clients of other APIs: providers/openai_responses/profile.py.
_NEWEST = ("low", "medium", "high", "xhigh", "max")

ROWS: tuple[ProfileRow, ...] = (
    # https://platform.openai.com/docs/models/gpt-5-chat-latest: not a reasoning model.
    ProfileRow(r"gpt-5(?:\.\d+)?-chat", _CHAT),
    ProfileRow(r"gpt-6-(?:sol|luna)|gpt-5\.6", replace(_GPT5, efforts=("none", *_NEWEST))),
    ProfileRow(r"gpt-(?:[6-9]|\d\d)(?!\d)", replace(_GPT5, efforts=_NEWEST)),
    # https://platform.openai.com/docs/models/gpt-5-pro: only high.
    ProfileRow(r"gpt-5-pro", replace(_GPT5, efforts=("high",))),
    # https://platform.openai.com/docs/models/gpt-5-codex and its like: always think.
    ProfileRow(r"gpt-5\.1-codex(?!-max)", replace(_GPT5, efforts=("low", "medium", "high"))),
    ProfileRow(r"gpt-5\.\d+-(?:codex|pro)", replace(_GPT5, efforts=("low", "medium", "high", "xhigh"))),
    # https://platform.openai.com/docs/models/gpt-5.1: none instead of minimal; sampling only with effort none.
    ProfileRow(r"gpt-5\.1(?:-2|$)", _GPT51),
    # https://platform.openai.com/docs/models/gpt-5.2 and after: xhigh, too.
    ProfileRow(r"gpt-5\.\d", replace(_GPT51, efforts=("none", "low", "medium", "high", "xhigh"))),
    # https://platform.openai.com/docs/models/gpt-5
    ProfileRow(r"gpt-5", _GPT5),
    # https://platform.openai.com/docs/models/o1-mini: no system messages, no tools, no effort.
    ProfileRow(
        r"\bo1-(?:mini|preview)",
        replace(_REASONING, lacks=_REASONING.lacks | {"tools", "reasoning", "developer"}, thinking="always"),
    ),
    # https://platform.openai.com/docs/api-reference/chat/create#chat_create-stop: not these two.
    ProfileRow(r"\bo3(?:-|$)|\bo4-mini", replace(_REASONING, lacks=_REASONING.lacks | {"stop"})),
    # https://platform.openai.com/docs/models/o1 and its siblings
    ProfileRow(r"\bo[14](?:-|$)|codex-mini", _REASONING),
    # https://platform.openai.com/docs/models/gpt-4o-audio-preview
    ProfileRow(
        r"gpt-(?:4o|audio).*audio|gpt-audio", replace(_CHAT, lacks=_CHAT.lacks | {"image", "output.schema"})
    ),
    # https://platform.openai.com/docs/guides/structured-outputs: before gpt-4o there is JSON mode only.
    ProfileRow(
        r"gpt-4-turbo|gpt-4-(?:1106|0125|vision)",
        replace(_CHAT, lacks=_CHAT.lacks | {"audio", "document"}, schema="json", cap_field="max_tokens"),
    ),
    # https://platform.openai.com/docs/models/gpt-3.5-turbo, gpt-4: text only.
    ProfileRow(
        r"gpt-3\.?5|gpt-4(?:-\d|$)",
        replace(
            _CHAT, lacks=_CHAT.lacks | {"audio", "document", "image"}, schema="json", cap_field="max_tokens"
        ),
    ),
    # https://platform.openai.com/docs/models/gpt-4o, gpt-4.1
    ProfileRow(r"gpt-4|chatgpt", replace(_CHAT, lacks=_CHAT.lacks | {"audio"})),
)

DEFAULT = Profile(lacks=_EXTENSIONS | _OPENAI_ONLY, thinking="effort")
# Servers of open models, which sample by top_k, too.
_OPEN = replace(DEFAULT, lacks=DEFAULT.lacks - {"top_k"})

_GROK = Profile(
    lacks=DEFAULT.lacks | {"audio", "document", "stop", "frequency_penalty", "presence_penalty"},
    thinking="effort",
    efforts=("low", "medium", "high"),
    thinking_field="reasoning_content",
)

VENDORS: dict[str, Profile] = {
    # https://api-docs.deepseek.com/guides/thinking_mode: the thinking of turns with tool calls must come back.
    "deepseek": Profile(
        lacks=DEFAULT.lacks
        | {"image", "audio", "document", "seed", "choices", "logit_bias", "parallel_tool_calls"}
        | {"call.thoughtless"},
        thinking="effort",
        efforts=("low", "high", "max"),
        schema="json",
        max_stop=16,
        thinking_field="reasoning_content",
        thinking_form="thinking",
    ),
    # https://openrouter.ai/docs/api-reference/parameters, /docs/use-cases/reasoning-tokens
    "openrouter": Profile(
        lacks=_OPENAI_ONLY - {"verbosity"},
        thinking="effort",
        thinking_field="reasoning_details",
        thinking_form="reasoning",
    ),
    # https://vercel.com/docs/ai-gateway/openai-compat/advanced
    "vercel": Profile(
        lacks=_OPENAI_ONLY | {"top_k", "video"},
        thinking="effort",
        thinking_field="reasoning_details",
        thinking_form="reasoning",
    ),
    # https://console.groq.com/docs/openai: unsupported fields are refused.
    "groq": Profile(
        lacks=DEFAULT.lacks | {"logprobs", "top_logprobs", "logit_bias", "choices", "audio", "document"},
        thinking="effort",
        max_stop=4,
        thinking_field="reasoning",
    ),
    # https://docs.x.ai/developers/model-capabilities/text/reasoning: who thinks refuses `stop` and penalties.
    "xai": _GROK,
    # https://inference-docs.cerebras.ai/capabilities/reasoning
    "cerebras": Profile(
        lacks=DEFAULT.lacks
        | {"image", "audio", "document", "frequency_penalty", "presence_penalty", "choices"},
        thinking="effort",
        efforts=("low", "medium", "high"),
        thinking_field="reasoning",
    ),
    # https://docs.z.ai/guides/capabilities/thinking-mode
    "zai": Profile(
        lacks=DEFAULT.lacks | {"audio", "seed", "choices", "logprobs", "top_logprobs", "logit_bias"},
        thinking="effort",
        schema="json",
        max_stop=1,
        max_temperature=1.0,
        thinking_field="reasoning_content",
        thinking_form="thinking",
    ),
    # https://platform.moonshot.ai/docs/guide/use-kimi-k2-thinking-model
    "moonshot": Profile(
        lacks=DEFAULT.lacks
        | {"audio", "document", "seed", "logprobs", "top_logprobs", "logit_bias", "call.thoughtless"},
        max_temperature=1.0,
        thinking="always",
        thinking_field="reasoning_content",
    ),
    # https://www.alibabacloud.com/help/en/model-studio/deep-thinking
    "alibaba": Profile(
        lacks=(DEFAULT.lacks | {"document"}) - {"top_k", "video"},
        thinking="budget",
        schema="json",
        thinking_field="",
        thinking_form="enable_thinking",
    ),
    # https://docs.perplexity.ai/api-reference/chat-completions-post
    "perplexity": Profile(
        lacks=(DEFAULT.lacks | {"tools", "seed", "choices", "logprobs", "top_logprobs", "logit_bias", "audio"})
        - {"document.link", "top_k"},
        thinking="effort",
        efforts=("minimal", "low", "medium", "high"),
    ),
    # https://docs.sambanova.ai/docs/en/features/openai-compatibility
    "sambanova": Profile(
        lacks=(
            DEFAULT.lacks
            | {
                "frequency_penalty",
                "presence_penalty",
                "seed",
                "choices",
                "logprobs",
                "top_logprobs",
                "logit_bias",
            }
        )
        - {"top_k"},
        thinking="effort",
    ),
    # https://platform.minimax.io/docs/api-reference/text-openai-api: what it ignores counts as lost.
    "minimax": Profile(
        lacks=DEFAULT.lacks
        | {"audio", "document", "frequency_penalty", "presence_penalty", "logit_bias", "choices"},
        thinking="always",
        max_temperature=1.0,
    ),
    # https://www.scaleway.com/en/docs/generative-apis/api-cli/using-chat-api/
    "scaleway": Profile(
        lacks=DEFAULT.lacks | {"frequency_penalty", "choices", "top_logprobs", "logit_bias"}, thinking="effort"
    ),
    # https://docs.together.ai/reference/chat-completions-1
    "together": _OPEN,
    # https://docs.fireworks.ai/api-reference/post-chatcompletions
    "fireworks": _OPEN,
    # https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
    "vllm": _OPEN,
    # https://docs.sglang.ai/basic_usage/openai_api_completions.html
    "sglang": _OPEN,
    # https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
    "llamacpp": _OPEN,
}

# Families of one vendor's models, before `VENDORS`, which is for the others.
FAMILIES: dict[str, tuple[ProfileRow, ...]] = {
    "xai": (
        ProfileRow(r"grok-3-mini", replace(_GROK, efforts=("low", "high"))),
        ProfileRow(r"non-reasoning|grok-[23]", Profile(lacks=DEFAULT.lacks | {"audio", "document"})),
        # https://github.com/vercel/ai/releases/tag/@ai-sdk/xai@4.0.0-canary.61
        ProfileRow(r"grok-4[.-]3", replace(_GROK, efforts=("none", "low", "medium", "high"))),
        # How much these think is a matter of the model's name: any word is refused.
        # https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/grok/capabilities/reasoning
        ProfileRow(r"grok-(?:code|4(?![.-][5-9]))", replace(_GROK, thinking="always")),
    ),
}
