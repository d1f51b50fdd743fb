"""What the families of Claude models accept, behind whichever cloud they stand.

`lacks` names, besides fields of the pivot: `temperature+top_p` (one of the two), `reasoning.effort` (no effort
words), `reasoning.off` (thinking cannot be turned off by `disabled`), `tool_choice.forced` (no tool may be
insisted on), `reasoning+tool_choice` (nor while thinking is asked for), `system.later` (no system message after
the first turn), `prefill` (the conversation may not end with the assistant).
"""

from __future__ import annotations

from penstock.core.profile import Profile, ProfileRow

_SAMPLING = frozenset({"temperature", "top_p", "top_k"})
# https://platform.claude.com/docs/en/build-with-claude/thinking-tool-workflows: an error while thinking is on.
# Recordings: Opus 4.6 takes both and does not think; Sonnet 5, which thinks unasked, takes a forced tool then.
_NOT_BOTH = frozenset({"reasoning+tool_choice"})
_ALL = ("low", "medium", "high", "xhigh", "max")
_UP_TO_HIGH = ("low", "medium", "high")
_NEW = _SAMPLING | _NOT_BOTH | {"prefill"}
_OLD = _NOT_BOTH | {"system.later", "reasoning.effort"}

ROWS = (
    # thinking always on, no forced tools:
    # https://platform.claude.com/docs/en/models/opus-5-5/migration-guide
    ProfileRow(
        r"(?:fable|mythos)-5[-.]1(?!\d)|opus-5[-.]5(?!\d)",
        Profile(_NEW | {"tool_choice.forced", "reasoning.off"}, "always", _ALL, max_temperature=1.0),
    ),
    # `between_tools`, no forced tools:
    # https://platform.claude.com/docs/en/models/sonnet-5-5/whats-new-sonnet-5-5
    ProfileRow(
        r"sonnet-5[-.]5(?!\d)",
        Profile(_NEW | {"tool_choice.forced", "reasoning.off"}, "adaptive", _ALL, max_temperature=1.0),
    ),
    # `disabled` and budgets are errors:
    # https://platform.claude.com/docs/en/models/fable-5/migration-guide
    ProfileRow(
        r"(?:fable|mythos)-(?:5|preview)",
        Profile(_NEW | {"reasoning.off"}, "always", _ALL, max_temperature=1.0),
    ),
    # adaptive thinking that can be turned off, no sampling:
    # https://platform.claude.com/docs/en/models/haiku-5-5/whats-new-haiku-5-5
    ProfileRow(r"(?:haiku|opus|sonnet)-5", Profile(_NEW, "adaptive", _ALL, max_temperature=1.0)),
    # later system messages:
    # https://platform.claude.com/docs/en/about-claude/models/whats-new-claude-4-8
    ProfileRow(r"opus-4[-.]8(?!\d)", Profile(_NEW, "adaptive", _ALL, max_temperature=1.0)),
    # no sampling, adaptive thinking only:
    # https://platform.claude.com/docs/en/about-claude/models/migration-guide
    ProfileRow(
        r"opus-4[-.]7(?!\d)", Profile(_NEW | {"system.later"}, "adaptive", _ALL, max_temperature=1.0)
    ),
    # `max`, but not `xhigh`; no prefill:
    # https://platform.claude.com/docs/en/build-with-claude/effort
    ProfileRow(
        r"(?:opus|sonnet)-4[-.]6(?!\d)",
        Profile(
            frozenset({"system.later", "prefill", "temperature+top_p"}),
            "adaptive",
            (*_UP_TO_HIGH, "max"),
            max_temperature=1.0,
        ),
    ),
    # effort, but no adaptive thinking:
    # https://platform.claude.com/docs/en/build-with-claude/effort
    ProfileRow(
        r"opus-4[-.]5(?!\d)",
        Profile(
            _NOT_BOTH | {"system.later", "temperature+top_p"}, "budget", _UP_TO_HIGH, max_temperature=1.0
        ),
    ),
    # from 4.5 on:
    # https://platform.claude.com/docs/en/build-with-claude/structured-outputs
    ProfileRow(
        r"(?:sonnet|haiku)-4[-.]5(?!\d)",
        Profile(_OLD | {"temperature+top_p"}, "budget", max_temperature=1.0),
    ),
    # one of temperature and top_p:
    # https://platform.claude.com/docs/en/about-claude/models/migration-guide
    ProfileRow(
        r"opus-4[-.]1(?!\d)",
        Profile(_OLD | {"temperature+top_p"}, "budget", schema="tool", max_temperature=1.0),
    ),
    # from 3.7 on:
    # https://platform.claude.com/docs/en/build-with-claude/extended-thinking
    ProfileRow(
        r"claude.*(?:3[-.]7|(?:opus|sonnet)-4|4-(?:opus|sonnet))",
        Profile(_OLD, "budget", schema="tool", max_temperature=1.0),
    ),
    # no thinking before 3.7:
    # https://docs.anthropic.com/en/docs/about-claude/models/all-models
    ProfileRow(
        r"claude-(?:v?[12]|3|instant)", Profile(_OLD, "none", schema="tool", max_temperature=1.0)
    ),
    # other vendors' models behind this API take its older form:
    # https://api-docs.deepseek.com/guides/anthropic_api
    ProfileRow(
        r"^(?!.*claude)", Profile(_OLD, "budget", schema="tool", max_temperature=1.0)
    ),
)  # fmt: skip

# A Claude that is newer than this table is taken to be as the newest in it.
DEFAULT = Profile(_NEW, "adaptive", _ALL, max_temperature=1.0)
