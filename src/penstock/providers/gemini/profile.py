"""What the families of Google's models accept.

`lacks` knows three names beside the pivot's fields: `schema.json` (JSON schema is not taken, only Google's own
`Schema`), `tool_result.media` (a function's response holds JSON alone) and `tool.strict` (no mode that holds
calls to their schemas).
"""

from __future__ import annotations

from penstock.core.profile import Profile, ProfileRow

_MAX_STOP = 5  # "up to 5": https://ai.google.dev/api/generate-content#generationconfig

# The generation before JSON schema and thinking.
# https://ai.google.dev/gemini-api/docs/structured-output#model_support
_SECOND = frozenset({"schema.json", "tool_result.media", "tool.strict"})
_BUDGET = frozenset({"tool_result.media"})

DEFAULT = Profile(thinking="effort", max_stop=_MAX_STOP)

ROWS: tuple[ProfileRow, ...] = (
    # Pictures and speech come from models without functions, instructions or schemas.
    # https://ai.google.dev/gemini-api/docs/speech-generation, https://ai.google.dev/gemini-api/docs/models
    ProfileRow(
        r"-tts",
        Profile(_SECOND | {"tools", "system", "output.schema"}, "none", schema="none", max_stop=_MAX_STOP),
    ),
    ProfileRow(
        r"gemini-2\.\d-flash.*image",
        Profile(_SECOND | {"tools", "output.schema"}, "none", schema="none", max_stop=_MAX_STOP),
    ),
    ProfileRow(r"gemini-[3-9].*image", Profile(frozenset({"tools"}), "none", max_stop=_MAX_STOP)),
    # Multimodal responses of functions: "Gemini 3 series models"
    # https://ai.google.dev/gemini-api/docs/function-calling#multimodal
    # Levels: https://ai.google.dev/gemini-api/docs/thinking#thinking-levels
    ProfileRow(
        r"gemini-3-pro",
        Profile(thinking="effort", efforts=("low", "high"), max_stop=_MAX_STOP),
    ),
    ProfileRow(
        r"gemini-3\.\d+-pro",
        Profile(thinking="effort", efforts=("low", "medium", "high"), max_stop=_MAX_STOP),
    ),
    ProfileRow(
        r"gemini-(?:[3-9]|\d\d)",
        Profile(thinking="effort", efforts=("minimal", "low", "medium", "high"), max_stop=_MAX_STOP),
    ),
    # Budgets: https://ai.google.dev/gemini-api/docs/thinking#set-budget
    ProfileRow(r"gemini-2\.5-pro", Profile(_BUDGET, "budget", ("low", "medium", "high"), max_stop=_MAX_STOP)),
    ProfileRow(r"gemini-2\.5", Profile(_BUDGET, "budget", max_stop=_MAX_STOP)),
    ProfileRow(r"gemini-(?:1\.|2\.0|pro$|pro-vision)", Profile(_SECOND, "none", max_stop=_MAX_STOP)),
    # Open models on the same API: https://ai.google.dev/gemma/docs/core/gemma_on_gemini_api
    ProfileRow(
        r"gemma-[1-3]",
        Profile(_SECOND | {"tools", "system", "output.schema"}, "none", schema="none", max_stop=_MAX_STOP),
    ),
)
