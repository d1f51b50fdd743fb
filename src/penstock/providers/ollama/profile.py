"""What models accept that Ollama serves."""

from __future__ import annotations

from penstock.core.profile import Profile, ProfileRow

# https://docs.ollama.com/api/chat has no field for any of these; pictures are base64 alone.
_NEVER = frozenset({
    "logit_bias", "choices", "parallel_tool_calls", "verbosity", "audio", "service_tier",
    "previous_response_id", "image.link", "image.file", "video",
})  # fmt: skip

ROWS: tuple[ProfileRow, ...] = (
    # https://docs.ollama.com/capabilities/thinking: levels, and it cannot be turned off
    ProfileRow(r"gpt-oss", Profile(_NEVER, "effort", ("low", "medium", "high"))),
    # https://docs.ollama.com/capabilities/thinking: models that are not in its list refuse `think`
    ProfileRow(
        r"(?:llama|codellama|gemma[23]?(?:$|:)|phi3|phi4(?:$|:)|mistral|mixtral|qwen2|llava)", Profile(_NEVER)
    ),
)
DEFAULT = Profile(_NEVER, "adaptive")
