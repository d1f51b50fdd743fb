"""What a family of models accepts: the facts that a request's encoder asks before it writes a field.

Profiles are data: rows by vendor and model pattern in `providers/*/profile.py`, each with its source. An
unknown model gets the shape's default, which takes everything that the API documents.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Thinking = Literal["none", "budget", "effort", "adaptive", "always"]


@dataclass(frozen=True, slots=True)
class Profile:
    """Capabilities of a model family behind one API shape.

    Attributes:
        lacks: Pivot fields that it refuses: names of ChatRequest fields (`temperature`, `top_k`, …) and parts
            (`image`, `image.link`, `audio`, `document`, `tools`, `system`, …).
        thinking: How it is told to think: by a token budget, an effort word, `adaptive`, always, or not at all.
        efforts: The effort words that it knows, in rising order; empty: all.
        schema: How structured output is asked for: natively, by a forced tool, as plain JSON mode, not at all.
        cap_field: Name of the output bound, where the shape has more than one.
        max_stop: How many stop sequences it takes.
        max_temperature: The top of its temperature scale.
        stream_usage: Whether a stream may be asked for its usage.
        thinking_field: Where a chat message carries the thinking of earlier turns; empty: it may not be sent.
        thinking_form: Which of a chat request's members says how much to think; empty: `reasoning_effort`.
        api: The shape by which these models are asked, where it is another than their vendor's.
    """

    lacks: frozenset[str] = frozenset()
    thinking: Thinking = "none"
    efforts: tuple[str, ...] = ()
    schema: Literal["native", "tool", "json", "none"] = "native"
    cap_field: str = "max_tokens"
    max_stop: int | None = None
    max_temperature: float = 2.0
    stream_usage: bool = True
    thinking_field: str = ""
    thinking_form: str = ""
    api: str = ""


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A profile for the models whose name matches `models` (a regular expression, searched)."""

    models: str
    profile: Profile


def profile_for(model: str, rows: tuple[ProfileRow, ...], default: Profile) -> Profile:
    """The profile of the first row that matches the model's name."""
    for row in rows:
        if re.search(row.models, model):
            return row.profile
    return default
