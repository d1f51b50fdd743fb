"""What one attempt consumed, in the units that vendors bill.

`input_tokens` and `output_tokens` are totals: cache reads and writes, audio and images are *parts of* the
input, reasoning and audio are *parts of* the output. This is how OpenAI reports usage; vendors that report
disjoint counts (Anthropic) are summed by their translator, so that pricing has one rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import add, sub
from typing import Literal

import msgspec
from msgspec.structs import astuple

UsageSource = Literal["reported", "estimated"]


class Usage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Counts of billable units; every count is zero or more, tokens unless the name says otherwise.

    What a vendor's own tools did: `web_searches` (queries), `grounded_answers` (answers for which the vendor
    searched at all, which some bill instead of the queries), `file_searches`, `code_sessions` (sandboxes that
    ran code). `characters`: of a text that was spoken.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0
    audio_input_tokens: int = 0
    audio_output_tokens: int = 0
    image_input_tokens: int = 0
    image_output_tokens: int = 0
    requests: int = 0
    images: int = 0
    audio_ms: int = 0
    web_searches: int = 0
    grounded_answers: int = 0
    file_searches: int = 0
    code_sessions: int = 0
    characters: int = 0

    def apart(self) -> tuple[int, int, int]:
        """The input in parts that do not overlap, as some APIs report it: fresh, cache reads, cache writes.

        A vendor that wrote to its cache what it also read from it reports more parts than the whole: reads
        count.
        """
        read = min(self.cache_read_tokens, self.input_tokens)
        written = min(self.cache_write_tokens, self.input_tokens - read)
        return self.input_tokens - read - written, read, written


NO_USAGE = Usage()


def total(usages: Iterable[Usage]) -> Usage:
    """All of them together."""
    counts = astuple(NO_USAGE)
    for usage in usages:
        counts = tuple(map(add, counts, astuple(usage)))
    return Usage(*counts)


class InnerUse(msgspec.Struct, frozen=True):
    """What another model consumed that a vendor's tool called, by its name at the vendor.

    `within`: the counts are also among those that the answer's usage tells as its own.
    """

    model: str
    counts: Usage
    within: bool = False


class ToolUse(msgspec.Struct, frozen=True):
    """What a vendor's own tools did for an answer, beside the tokens of its model."""

    web_searches: int = 0
    grounded_answers: int = 0
    file_searches: int = 0
    code_sessions: int = 0
    inner: tuple[InnerUse, ...] = ()

    def added_to(self, usage: Usage) -> Usage:
        """The usage with all that was done beside it."""
        own = Usage(
            web_searches=self.web_searches,
            grounded_answers=self.grounded_answers,
            file_searches=self.file_searches,
            code_sessions=self.code_sessions,
        )
        return total((usage, own, *(each.counts for each in self.inner if not each.within)))


NO_TOOLS = ToolUse()


def own_part(usage: Usage, inner: Iterable[InnerUse]) -> Usage:
    """What is left of a usage for the answer's own model once the others have their parts."""
    rest = tuple(map(sub, astuple(usage), astuple(total(each.counts for each in inner))))
    return Usage(*(max(0, count) for count in rest))
