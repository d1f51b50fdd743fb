"""What one attempt consumed, in the units that vendors bill.

`input_tokens` and `output_tokens` are totals: cache reads and writes, audio and images are *parts of* the
input, reasoning and audio are *parts of* the output. This is how OpenAI reports usage; vendors that report
disjoint counts (Anthropic) are summed by their translator, so that pricing has one rule.
"""

from __future__ import annotations

from typing import Literal

import msgspec

UsageSource = Literal["reported", "estimated"]


class Usage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Counts of billable units; every count is zero or more, tokens unless the name says otherwise."""

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

    def apart(self) -> tuple[int, int, int]:
        """The input in parts that do not overlap, as some APIs report it: fresh, cache reads, cache writes.

        A vendor that wrote to its cache what it also read from it reports more parts than the whole: reads
        count.
        """
        read = min(self.cache_read_tokens, self.input_tokens)
        written = min(self.cache_write_tokens, self.input_tokens - read)
        return self.input_tokens - read - written, read, written


NO_USAGE = Usage()
