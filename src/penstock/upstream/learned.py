"""What each target has taught: characters per token, and how long its answers are.

Kept per target id, across reloads. Used for reservations before an answer and for estimates where the provider
reported no usage; such numbers are marked *estimated*.
"""

from __future__ import annotations

from math import ceil, log2
from typing import Final

DEFAULT_CHARS_PER_TOKEN: Final = 4.0
DEFAULT_OUTPUT_TOKENS: Final = 4096
DEFAULT_TYPICAL_TOKENS: Final = 256
DEFAULT_LIKELY_TOKENS: Final = 512
SAMPLES_NEEDED: Final = 100
FEW_SAMPLES: Final = 20
_BUCKETS_PER_OCTAVE: Final = 8
_REFRESH: Final = 64
_DECAY: Final = 0.99


class Learned:
    """One target's ratios and output lengths."""

    __slots__ = (
        "_buckets",
        "_cached",
        "_in_chars",
        "_in_tokens",
        "_mean_n",
        "_mean_tokens",
        "_out_chars",
        "_out_tokens",
        "_p50",
        "_p95",
        "_p99",
        "samples",
    )

    def __init__(self) -> None:
        self._in_chars = self._in_tokens = 0.0
        self._out_chars = self._out_tokens = 0.0
        self._cached = 0.0
        self._mean_tokens = self._mean_n = 0.0
        self._buckets = [0] * (24 * _BUCKETS_PER_OCTAVE)
        self._p50 = DEFAULT_TYPICAL_TOKENS
        self._p95 = DEFAULT_LIKELY_TOKENS
        self._p99 = DEFAULT_OUTPUT_TOKENS
        self.samples = 0

    def learn(
        self,
        prompt_chars: int,
        input_tokens: int,
        output_chars: int,
        output_tokens: int,
        cached_tokens: int = 0,
    ) -> None:
        """Take in one answer with reported usage; zeros teach nothing.

        `cached_tokens` of the input were read from the provider's cache.
        """
        if prompt_chars and input_tokens:
            self._in_chars = self._in_chars * _DECAY + prompt_chars
            self._in_tokens = self._in_tokens * _DECAY + input_tokens
            self._cached = self._cached * _DECAY + min(cached_tokens, input_tokens)
        if output_chars and output_tokens:
            self._out_chars = self._out_chars * _DECAY + output_chars
            self._out_tokens = self._out_tokens * _DECAY + output_tokens
        if output_tokens:
            self._mean_tokens = self._mean_tokens * _DECAY + output_tokens
            self._mean_n = self._mean_n * _DECAY + 1.0
            self.samples += 1
            at = int(log2(output_tokens + 1) * _BUCKETS_PER_OCTAVE)
            self._buckets[min(at, len(self._buckets) - 1)] += 1
            if self.samples % _REFRESH == 0 or self.samples in (FEW_SAMPLES, SAMPLES_NEEDED):
                self._p50 = self._quantile(0.5)
                self._p95 = self._quantile(0.95)
                self._p99 = self._quantile(0.99)

    def _quantile(self, share: float) -> int:
        wanted = sum(self._buckets) * share
        seen = 0
        for at, count in enumerate(self._buckets):
            seen += count
            if seen >= wanted:
                return ceil(2 ** ((at + 1) / _BUCKETS_PER_OCTAVE))
        return DEFAULT_OUTPUT_TOKENS

    @property
    def chars_per_token(self) -> float:
        """How many characters of input make a token, as far as is known."""
        return self._in_chars / self._in_tokens if self._in_tokens else DEFAULT_CHARS_PER_TOKEN

    def input_tokens(self, chars: int) -> int:
        """An estimate of the tokens in `chars` characters of input."""
        return ceil(chars / self.chars_per_token)

    def input_tokens_at_most(self, chars: int) -> int:
        """A cautious bound for a reservation: half again the estimate, twice before anything was learnt."""
        return ceil(self.input_tokens(chars) * (1.5 if self._in_tokens else 2.0)) + 16

    def output_tokens(self, chars: int) -> int:
        """An estimate of the tokens in `chars` characters of output."""
        ratio = self._out_chars / self._out_tokens if self._out_tokens else DEFAULT_CHARS_PER_TOKEN
        return ceil(chars / ratio)

    def most_output_tokens(self) -> int:
        """The 99th percentile of answers' lengths; a fixed guess before enough of them were seen."""
        return self._p99 if self.samples >= SAMPLES_NEEDED else DEFAULT_OUTPUT_TOKENS

    def likely_output_tokens(self) -> int:
        """The 95th percentile, for limits that are corrected when the answer is there; sooner known."""
        return self._p95 if self.samples >= FEW_SAMPLES else DEFAULT_LIKELY_TOKENS

    def least_output_tokens(self) -> int:
        """The least bound under which nearly every answer is whole."""
        return self._p95 if self.samples >= FEW_SAMPLES else DEFAULT_TYPICAL_TOKENS

    def typical_output_tokens(self) -> int:
        """The median length of answers: the estimate for one that was paid for and never seen."""
        return self._p50

    def mean_output_tokens(self) -> float:
        """The mean length of answers of late: what one more is expected to be long."""
        return self._mean_tokens / self._mean_n if self._mean_n else float(DEFAULT_TYPICAL_TOKENS)

    def cached_share(self) -> float:
        """Which share of the input tokens was read from the provider's cache of late, from 0 to 1."""
        return self._cached / self._in_tokens if self._in_tokens else 0.0
