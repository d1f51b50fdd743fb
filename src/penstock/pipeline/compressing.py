"""Makes a prompt shorter before an attempt is sent, where its route says so."""

from __future__ import annotations

from dataclasses import replace

from penstock.core.compress_rule import CompressRule
from penstock.core.compressing import compressed
from penstock.core.errors import Refusal
from penstock.core.extracting import extracted
from penstock.pipeline.translation import chat_of
from penstock.shapes.openai_request import OpenAIRequest

NOTE, LOST_NOTE = "compress.saved_chars", "compress.lost_chars"
# Shorter prompts have nothing to be saved that would be worth the look.
LEAST_CHARS = 1_000


def shortened_request(request: OpenAIRequest, rule: CompressRule, notes: dict[str, str]) -> OpenAIRequest:
    """The request, shorter if it can be; where it was changed it is written by us, and not passed."""
    if request.fields is None or request.endpoint.task != "chat":
        return request
    if request.prompt_chars < LEAST_CHARS:
        return request
    try:
        chat = chat_of(request)
    except Refusal:
        return request  # whoever encodes it will say so
    made = compressed(chat)
    short, lost = (made.chat, 0) if rule.keep >= 1.0 else extracted(made.chat, rule.keep)
    if not made.saved and not lost:
        return request
    if made.saved:
        notes[NOTE] = str(made.saved)
    if lost:
        notes[LOST_NOTE] = str(lost)
    chars = max(0, request.prompt_chars - made.saved - lost)
    return replace(request, chat=short, rewritten=True, prompt_chars=chars)
