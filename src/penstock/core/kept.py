"""An answer that is kept to be used again, and what takes such answers away."""

from __future__ import annotations

import msgspec

from penstock.core.usage import NO_USAGE, Usage

# What an entry takes beside its texts, roughly.
OVERHEAD = 600


class Kept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One entry. Array-like and stored: fields may be appended with a default, never removed or moved.

    `asked_ms` is when its request came, `made_ms` when its answer was complete; it answers until `expires_ms`,
    and until `ends_ms` in an outage. `creator` is the key that it was made with, empty for a token's. `api`
    names the shape of `body`, `framing` how its stream is framed (empty for a body in one piece) and
    `with_usage` whether that stream tells its usage. `tags` are `name=value`. `usage` and `cost_nanousd` are
    what it took to make it. `question` and `context` are of the semantic look-up.
    """

    key: bytes
    org: str
    team: str
    user: str
    creator: str
    route: str
    target: str
    tags: tuple[str, ...]
    asked_ms: int
    made_ms: int
    expires_ms: int
    ends_ms: int
    api: str
    framing: str
    with_usage: bool
    body: bytes
    usage: Usage = NO_USAGE
    cost_nanousd: int | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes, roughly."""
        return len(self.body) + OVERHEAD

    @property
    def name(self) -> str:
        """What it is called towards people: half of its key, in hexadecimal digits."""
        return self.key[:16].hex()


class Purge(msgspec.Struct, frozen=True, array_like=True):
    """Takes away all entries whose request came until `before_ms` and for which everything named here holds.

    `entry` is an entry's name, or the beginning of it; `tag` is `name=value`, `key` the key it was made with.
    """

    before_ms: int
    org: str = ""
    route: str = ""
    tag: str = ""
    key: str = ""
    entry: str = ""
    user: str = ""

    def takes(self, kept: Kept) -> bool:
        """Whether it takes this entry."""
        return (
            kept.asked_ms <= self.before_ms
            and (not self.org or self.org == kept.org)
            and (not self.route or self.route == kept.route)
            and (not self.tag or self.tag in kept.tags)
            and (not self.key or self.key == kept.creator)
            and (not self.user or self.user == kept.user)
            and (not self.entry or kept.name.startswith(self.entry))
        )
