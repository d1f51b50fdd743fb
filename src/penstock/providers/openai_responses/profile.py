"""What families of models accept behind the Responses API. The first row that matches a name counts.

`ALONE` are OpenAI's models that chat completions do not serve, or not with tools while they think, so that
clients of other APIs reach them by responses. `lacks` knows, besides the pivot's fields, `temperature.thinking`
and its like (not while it thinks) and `reasoning.unset` (it thinks where nothing is said).
"""

from __future__ import annotations

from penstock.core.profile import Profile, ProfileRow

# The reference of POST /responses has no penalties and takes no sound:
# https://platform.openai.com/docs/api-reference/responses/create
_NEVER = frozenset({"frequency_penalty", "presence_penalty"})
_NO_SAMPLING = frozenset({"temperature", "top_p", "logprobs", "top_logprobs"})
_NO_SAMPLING_WHILE_THINKING = frozenset({"temperature.thinking", "top_p.thinking"})

DEFAULT = Profile(lacks=_NEVER, thinking="effort", cap_field="max_output_tokens")

_CHAT = Profile(lacks=_NEVER | {"audio"}, cap_field="max_output_tokens")


def _thinker(lacks: frozenset[str], *efforts: str) -> Profile:
    return Profile(
        lacks=_NEVER | {"audio"} | lacks,
        thinking="effort",
        efforts=efforts,
        cap_field="max_output_tokens",
    )


_ALL = ("low", "medium", "high", "xhigh", "max")
# They think unless told `none`, and take sampling parameters then alone.
_THINKS_UNASKED = _NO_SAMPLING_WHILE_THINKING | {
    "reasoning.unset",
    "logprobs.thinking",
    "top_logprobs.thinking",
}

ALONE: tuple[ProfileRow, ...] = (
    # Effort words and sampling by probes of a third party: no page of OpenAI's with them was seen.
    # "4 Request-Validation Gotchas When Migrating OpenAI Clients to GPT-6.2", https://dev.to/routerbase_com
    ProfileRow(r"(^|/)gpt-6\.2", _thinker(_NO_SAMPLING, "low", "medium", "high", "xhigh")),
    # https://developers.openai.com/api/docs/guides/deployment-checklist: tools by responses, or without
    # thinking; `none` for these two alone, and sampling parameters with it alone.
    ProfileRow(r"(^|/)gpt-6-(?:sol|luna)", _thinker(_THINKS_UNASKED, "none", *_ALL)),
    ProfileRow(r"(^|/)gpt-(?:[6-9]|\d\d)", _thinker(_NO_SAMPLING, *_ALL)),
    # The same page, of before GPT-6: all words, medium by default.
    ProfileRow(r"(^|/)gpt-5\.6", _thinker(_THINKS_UNASKED, "none", *_ALL)),
    # https://platform.openai.com/docs/models/gpt-5-pro, o3-pro, gpt-5-codex: responses only.
    ProfileRow(r"(^|/)gpt-5-pro", _thinker(_NO_SAMPLING, "high")),
    ProfileRow(r"(^|/)gpt-5\.\d-pro", _thinker(_NO_SAMPLING, "medium", "high", "xhigh")),
    ProfileRow(r"(^|/)o\d-(?:pro|deep-research)", _thinker(_NO_SAMPLING, "low", "medium", "high")),
    ProfileRow(
        r"(^|/)gpt-5\.[2-9]\d*-codex|codex-max", _thinker(_NO_SAMPLING, "low", "medium", "high", "xhigh")
    ),
    ProfileRow(r"codex", _thinker(_NO_SAMPLING, "low", "medium", "high")),
    # No tools in chat while they think:
    # https://github.com/goruck/home-generative-agent/releases/tag/v3.46.0-beta.1
    ProfileRow(
        r"(^|/)gpt-5\.[45]", _thinker(_NO_SAMPLING_WHILE_THINKING, "none", "low", "medium", "high", "xhigh")
    ),
)
ROWS: tuple[ProfileRow, ...] = (
    *ALONE,
    # Models without reasoning: https://platform.openai.com/docs/models
    ProfileRow(r"(^|/)gpt-(3\.5|4)|(^|/)chatgpt-4o|(^|/)gpt-5(\.\d+)?-chat", _CHAT),
    # https://platform.openai.com/docs/guides/reasoning (no sampling parameters)
    ProfileRow(r"(^|/)o[134](-|$)", _thinker(_NO_SAMPLING, "low", "medium", "high")),
    ProfileRow(r"(^|/)gpt-5-pro", _thinker(_NO_SAMPLING, "high")),
    # https://platform.openai.com/docs/guides/latest-model (sampling only at effort none, from 5.1 on)
    ProfileRow(r"(^|/)gpt-5(-|$)", _thinker(_NO_SAMPLING, "minimal", "low", "medium", "high")),
    ProfileRow(r"(^|/)gpt-5\.1(-|$)", _thinker(_NO_SAMPLING_WHILE_THINKING, "none", "low", "medium", "high")),
    ProfileRow(
        r"(^|/)gpt-5\.\d", _thinker(_NO_SAMPLING_WHILE_THINKING, "none", "low", "medium", "high", "xhigh")
    ),
    # https://platform.openai.com/docs/models/gpt-oss-120b
    ProfileRow(r"gpt-oss", _thinker(frozenset(), "low", "medium", "high")),
)
