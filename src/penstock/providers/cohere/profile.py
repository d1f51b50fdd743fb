"""What Cohere's models accept."""

from __future__ import annotations

from penstock.core.profile import Profile, ProfileRow

# https://docs.cohere.com/v2/reference/chat: at most five stop_sequences; frequency_penalty, presence_penalty
# and p have ranges that the encoder knows. No field for any of these.
_NEVER = frozenset({
    "logit_bias", "top_logprobs", "choices", "parallel_tool_calls", "verbosity", "audio", "service_tier",
    "previous_response_id", "image.file", "video",
})  # fmt: skip
_TEXT = _NEVER | {"image"}

ROWS: tuple[ProfileRow, ...] = (
    # https://docs.cohere.com/docs/reasoning
    ProfileRow(r"command-a-reasoning", Profile(_TEXT, "budget", max_stop=5)),
    # https://docs.cohere.com/docs/command-a-plus (images, and reasoning that can be turned off)
    ProfileRow(r"command-a-plus", Profile(_NEVER, "budget", max_stop=5)),
    # https://docs.cohere.com/docs/command-a-vision, https://docs.cohere.com/docs/aya-vision: no tools
    ProfileRow(r"command-a-vision|aya-vision", Profile(_NEVER | {"tools", "thinking"}, max_stop=5)),
    # https://docs.cohere.com/docs/models
    ProfileRow(r"command|aya|c4ai", Profile(_TEXT | {"thinking"}, max_stop=5)),
)
DEFAULT = Profile(_NEVER, "budget", max_stop=5)
