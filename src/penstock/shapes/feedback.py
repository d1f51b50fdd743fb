"""The body of `POST /v1/feedback`: what somebody says of an answer, a session or a task."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MAX_SCORES = 16
_Id = Annotated[str, Meta(min_length=1, max_length=256)]
_Name = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
_Score = Annotated[float, Meta(ge=0, le=1)]


class FeedbackBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of `request_id`, `session` and `task` says what it is about."""

    request_id: _Id | None = None
    session: _Id | None = None
    task: _Id | None = None
    thumbs: Literal["up", "down"] | None = None
    name: _Name | None = None
    score: _Score | None = None
    scores: dict[_Name, _Score] = {}
    outcome: Literal["resolved", "completed", "escalated", "abandoned"] | None = None
    label: Annotated[str, Meta(max_length=64)] = ""
    comment: Annotated[str, Meta(max_length=4_000)] = ""
    correction: Annotated[str, Meta(max_length=16_000)] = ""


decode_feedback = msgspec.json.Decoder(FeedbackBody).decode
