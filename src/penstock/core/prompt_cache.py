"""Where vendors are to cache a prompt: at the ends of its stable pieces, in the order in which they read it.

Anthropic and Bedrock read tools, then system, then turns, and cache up to marked blocks, four at most
(https://platform.claude.com/docs/en/build-with-claude/prompt-caching). A prefix that is cached and never read
again costs more than one that is not, so a mark is only worth its surcharge where the prefix comes back.
Pure: pieces and instants come in, marks come out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

Level = Literal["tools", "system", "documents", "history", "tail"]

MAX_MARKS = 4
SHORT_S, LONG_S = 300, 3600
# What a token costs that is written for five minutes, written for an hour, and read, in units of a plain one.
WRITE, WRITE_LONG, READ = 1.25, 2.0, 0.1
_KNOWN = 65_536
_PLACES = 16_384
_DECAY = 0.98


@dataclass(frozen=True, slots=True)
class PromptCacheRule:
    """How a target's prompts are cached.

    `style`: marks on blocks, or a key that leads equal prefixes to the same machine. `min_tokens`: shorter
    prefixes are not cached there. `always`: without learning first whether prefixes come back.
    """

    style: Literal["marks", "key"]
    min_tokens: int = 1024
    ttl_s: int = SHORT_S
    always: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """One block of a prompt as text; `marked`: it carries a mark of the client's own.

    `material`: it is given to be read (a document, a picture, a tool's result), and not said. `markable`: the
    vendor takes a mark on it.
    """

    text: bytes
    material: bool = False
    markable: bool = True
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt in its vendor's order. `turns` are a role (`user` or another) and pieces each."""

    tools: Sequence[Piece] = ()
    system: Sequence[Piece] = ()
    turns: Sequence[tuple[str, Sequence[Piece]]] = ()

    def marked(self) -> bool:
        """Whether the client has said itself what is to be cached."""
        turns = [piece for _, pieces in self.turns for piece in pieces]
        return any(piece.marked for piece in (*self.tools, *self.system, *turns))


@dataclass(frozen=True, slots=True)
class Mark:
    """The end of a stable prefix: piece `piece` of turn `turn` (-1: of the tools, or of the system prompt).

    `chars` and `digest` are those of everything up to it.
    """

    level: Level
    turn: int
    piece: int
    chars: int
    digest: bytes


def ends(prompt: Prompt) -> list[Mark]:
    """The ends of a prompt's stable pieces, shortest prefix first."""
    found: list[Mark] = []
    seen = blake2b(digest_size=16)
    chars = 0

    def walk(pieces: Sequence[Piece], wanted: dict[int, Level], turn: int) -> None:
        nonlocal chars
        for index, piece in enumerate(pieces):
            seen.update(b"%d:" % len(piece.text))
            seen.update(piece.text)
            chars += len(piece.text)
            if index in wanted:
                found.append(Mark(wanted[index], turn, index, chars, seen.copy().digest()))

    walk(prompt.tools, _end(prompt.tools, "tools"), -1)
    seen.update(b"|")
    walk(prompt.system, _end(prompt.system, "system"), -1)
    asked = [index for index, (role, _) in enumerate(prompt.turns) if role == "user"]
    for index, (role, pieces) in enumerate(prompt.turns):
        seen.update(b"|%b" % role.encode())
        wanted: dict[int, Level] = {}
        if asked[-2:-1] == [index]:
            wanted = _end(pieces, "history")
        elif asked[-1:] == [index] and index == len(prompt.turns) - 1:
            wanted = {**_documents(pieces), **_end(pieces, "tail")}
        walk(pieces, wanted, index)
    return found


def _end(pieces: Sequence[Piece], level: Level) -> dict[int, Level]:
    fit = [index for index, piece in enumerate(pieces) if piece.markable]
    return {fit[-1]: level} if fit else {}


def _documents(pieces: Sequence[Piece]) -> dict[int, Level]:
    """The last material before words: the question about it may change, and it may stay."""
    fit = [index for index, piece in enumerate(pieces) if piece.markable and piece.material]
    return {fit[-1]: "documents"} if fit and fit[-1] < len(pieces) - 1 else {}


class PrefixMemory:
    """Which prefixes were sent to which place lately, and how often such prefixes come back; bounded."""

    def __init__(self, known: int = _KNOWN) -> None:
        self._most = known
        # A plain dict would look for its oldest entry past all that were deleted.
        self._seen: OrderedDict[bytes, float] = OrderedDict()
        # By place and level: how many prefixes were new or stale, and how many came back in time.
        self._rates: dict[str, tuple[float, float]] = {}

    def choose(
        self, marks: Sequence[Mark], place: str, rule: PromptCacheRule, least: int, now: float
    ) -> list[Mark]:
        """The marks that are worth what they cost; `least`: characters that a prefix must have.

        `place` tells prompts apart that cannot share a cache. Remembers what it saw.
        """
        chosen: list[Mark] = []
        for mark in marks:
            if mark.chars < least:
                continue
            again = self._came_back(place, mark, rule.ttl_s, now)
            if rule.always or again or self._rate(place, mark.level) > break_even(rule.ttl_s):
                chosen.append(mark)
        # A longer prefix holds the shorter ones: where there are too many, the shortest can be spared.
        return chosen[-MAX_MARKS:]

    def _came_back(self, place: str, mark: Mark, ttl_s: int, now: float) -> bool:
        key = blake2b(mark.digest, key=place.encode()[:64], digest_size=16).digest()
        before = self._seen.pop(key, None)
        self._seen[key] = now
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        again = before is not None and now - before <= ttl_s
        # The end of one request is what the next one of the same conversation begins with.
        was_tail = mark.level == "history"
        level: Level = "tail" if was_tail else mark.level
        self._count(f"{place} {level}", came=again, fresh=not again and not was_tail)
        return again

    def _count(self, key: str, *, came: bool, fresh: bool) -> None:
        rate = self._rates.get(key)
        if rate is None:
            if len(self._rates) >= _PLACES:
                return
            rate = (0.0, 0.0)
        came_back, new = rate
        self._rates[key] = (came_back * _DECAY + came, new * _DECAY + fresh)

    def _rate(self, place: str, level: Level) -> float:
        """How many times a new prefix is read again, as far as is known; hopeful where nothing is."""
        came_back, new = self._rates.get(f"{place} {'tail' if level == 'history' else level}", (0.0, 0.0))
        return (came_back + 1.0) / (new + 2.0)


def break_even(ttl_s: int) -> float:
    """How many times a prefix must be read again for its surcharge to be earned."""
    return ((WRITE if ttl_s <= SHORT_S else WRITE_LONG) - 1.0) / (1.0 - READ)
