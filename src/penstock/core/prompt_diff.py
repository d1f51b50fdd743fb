"""Where two prompts part, and what of the first one's cached prefix is lost by it.

Vendors cache prefixes, so that a change near the front costs everything behind it. Tokens are estimates from
characters. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from penstock.core.chat import ChatRequest
from penstock.core.parts import Part, Text
from penstock.core.prompt_pieces import pieces_of

_EXCERPT = 48
# OpenAI caches in steps: https://developers.openai.com/api/docs/guides/prompt-caching
STEP_TOKENS = 128
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Segment:
    """One block: its `name` (`tools[0]`, `system[1]`, `turn 3 (user)[0]`), its text, whether it stays."""

    name: str
    text: str
    stable: bool


@dataclass(frozen=True, slots=True)
class PromptDifference:
    """What two prompts have in common.

    `where`, `before`, `after`: the place at which they part and what stands there; empty where they do not.
    `common_tokens` are those in front of it, `cached_tokens` as many of them as can be cached, `stable_tokens`
    those of the first prompt that are meant to stay (all but the last question), `lost_tokens` those of them
    that are not cached any more.
    """

    where: str
    before: str
    after: str
    common_blocks: int
    common_tokens: int
    cached_tokens: int
    stable_tokens: int
    lost_tokens: int


def segments(chat: ChatRequest) -> list[Segment]:
    """A request's blocks in the order in which vendors read them. The last question is not stable."""
    return list(_segments(chat))


def _segments(chat: ChatRequest) -> Iterator[Segment]:
    pieces = pieces_of(chat)
    for index, tool in enumerate(chat.tools):
        yield Segment(f"tools[{index}]", _encode(tool).decode(), stable=True)
    for index, (at, part) in enumerate(pieces.system):
        yield Segment(f"system[{index}]", _said(chat.messages[at].parts[part]), stable=True)
    last = len(pieces.turns) - 1
    for turn, ((role, found), refs) in enumerate(zip(pieces.prompt.turns, pieces.turns, strict=True)):
        # Material in front of the question stays.
        material = max([index for index, piece in enumerate(found) if piece.material], default=-1)
        for index, (at, part) in enumerate(refs):
            asks = turn == last and role == "user" and index > material
            text = _said(chat.messages[at].parts[part])
            yield Segment(f"turn {turn + 1} ({role})[{index}]", text, stable=not asks)


def _said(part: Part) -> str:
    return part.text if isinstance(part, Text) else _encode(part).decode()


def prompt_difference(
    a: ChatRequest, b: ChatRequest, *, chars_per_token: float = 4.0, min_tokens: int = 1024, blocks: bool = True
) -> PromptDifference:
    """Compare two prompts. `blocks`: whole blocks are cached (Anthropic, Bedrock), else steps of 128 tokens.

    A prefix of fewer than `min_tokens` is not cached at all.
    """
    first, second = segments(a), segments(b)
    common = same = 0
    where = before = after = ""
    for one, other in zip(first, second, strict=False):
        if one == other or (one.text == other.text and one.name == other.name):
            same += 1
            common += len(one.text)
            continue
        at = _parting(one.text, other.text) if one.name == other.name else 0
        where = one.name if one.name == other.name else f"{one.name} / {other.name}"
        where += f", character {at}" if at else ""
        before, after = _around(one.text, at), _around(other.text, at)
        common_in_block = at
        break
    else:
        common_in_block = 0
        if len(first) != len(second):
            longer = (first if len(first) > len(second) else second)[same]
            where = f"{longer.name} stands in one of them only"
    whole = _tokens(common, chars_per_token)
    reached = _tokens(common + common_in_block, chars_per_token)
    cached = whole if blocks else reached // STEP_TOKENS * STEP_TOKENS
    stable = _tokens(sum(len(each.text) for each in first if each.stable), chars_per_token)
    cached = cached if cached >= min_tokens else 0
    kept = stable if stable >= min_tokens else 0
    lost = max(0, kept - cached) if where else 0
    # A longer conversation that begins like the first one reads all that was cached of it.
    stays = all(not each.stable for each in first[same:])
    return PromptDifference(
        where, before, after, same, reached, min(cached, kept), stable, 0 if stays else lost
    )


def _tokens(chars: int, ratio: float) -> int:
    return round(chars / ratio)


def _parting(one: str, other: str) -> int:
    for index, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return index
    return min(len(one), len(other))


def _around(text: str, at: int) -> str:
    start = max(0, at - _EXCERPT // 3)
    cut = text[start : start + _EXCERPT]
    return ("…" if start else "") + cut + ("…" if start + _EXCERPT < len(text) else "")
