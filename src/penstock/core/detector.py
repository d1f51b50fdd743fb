"""What a guard finds in a text, and what looks for it: the contract of detectors and the guard engine."""

from __future__ import annotations

from typing import Final, Literal, Protocol

import msgspec

Role = Literal["system", "user", "assistant", "tool_call", "tool_result", "context"]
"""Who says a text.

`system`: the application's own instructions. `user`: the person. `assistant`: the model, in its answer or in
an earlier turn. `tool_call`: the arguments of a call, as JSON. `tool_result`: what a tool gave back.
`context`: a document, a search result, or whatever else third parties wrote.
"""
ROLES: Final[tuple[Role, ...]] = ("system", "user", "assistant", "tool_call", "tool_result", "context")
# What a third party wrote: instructions in it are nobody's instructions.
UNTRUSTED: Final[frozenset[Role]] = frozenset({"tool_result", "context"})

WHOLE: Final = 1 << 30
"""`look_behind` of a detector that has to see the whole text at once."""


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One span that was found.

    `start` and `end` count characters (`text[start:end]`; `end` is after the last one). `kind` is an upper-
    case name of what was found, such as `EMAIL_ADDRESS`, stable and of low cardinality; placeholders and
    reports show it. `score` is how sure the detector is, 0 to 1. `reason` is a short stable word that says by
    what it was found (`checksum`, `pattern`, `classifier`). Neither `kind` nor `reason` ever holds text of
    the prompt.
    """

    start: int
    end: int
    kind: str
    score: float
    reason: str


class Detector(Protocol):
    """Looks for one kind of thing in a text. Pure: no IO, no state, the same text gives the same findings.

    Made once for a configuration and shared by all requests, so `look` changes nothing. It returns spans
    sorted by `start`, and may return some that overlap.

    On streams only a window of the text is shown. `look_behind` is the number of characters, n, for which
    this holds: whether a span that starts at s is found, and where it ends, depends only on `text[max(0, s -
    n) : s + n]`. A stream holds back at most n characters (see `Settled` for less), so a longer secret than n
    may escape in its first part. `WHOLE` means that no such number exists: an answer is then looked at as a
    whole, and held back until it ended.
    """

    @property
    def look_behind(self) -> int:
        """How many characters around its start decide on a span; at least the length of the longest span."""
        ...

    def look(self, text: str, role: Role) -> list[Finding]:
        """All spans found in `text`, said by `role`; an empty list where there is nothing."""
        ...


class Settled(Protocol):
    """What a detector may have besides, so that streams are held back less than `look_behind` characters."""

    def settled(self, text: str, role: Role) -> int:
        """How many leading characters of `text` no span can touch that further text could make or change.

        A detector of words without spaces gives the place after the last space. It must not give too many:
        the characters before that place are sent and cannot be taken back.
        """
        ...


class Leakable(Protocol):
    """What a detector has besides that compares an answer with its request: one of leaked instructions."""

    def knowing(self, texts: tuple[tuple[Role, str], ...]) -> Detector:
        """The detector for the answer to a request that said `texts`; made once an exchange."""
        ...


class Writes(Protocol):
    """What a detector may have besides: what `redact` puts in the place of a span, instead of its kind."""

    def written(self, found: str, finding: Finding) -> str:
        """What stands in the place of `found`, the finding's text; empty takes it out."""
        ...
