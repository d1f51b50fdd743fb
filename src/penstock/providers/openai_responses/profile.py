"""What families of models accept behind the Responses API. The first row that matches a name counts."""

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


ROWS: tuple[ProfileRow, ...] = (
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
