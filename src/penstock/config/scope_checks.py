"""What must be right in the bounds of keys."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.config.document import TokenIssuer, VirtualKey
from penstock.config.problem import child, suggestion
from penstock.dialects.paths import DIALECTS, ENDPOINT_NAMES


def scope_problems(key: VirtualKey, path: str) -> Iterator[tuple[str, str, str]]:
    """Path, message and hint of what is wrong with one key's bounds."""
    yield from ((child(path, at), message, hint) for at, message, hint in named_problems(key))
    for index, previous in enumerate(key.previous):
        if previous.secret == key.secret:
            at = child(child(child(path, "previous"), index), "secret")
            yield at, "it is the key's secret of today", "write the one from before"


def named_problems(key: VirtualKey | TokenIssuer) -> Iterator[tuple[str, str, str]]:
    """The same of the endpoints, dialects and networks of a key, or of tokens; paths begin at it."""
    families = {name.partition(".")[0] for name in ENDPOINT_NAMES}
    for field, known, what in (
        ("endpoints", ENDPOINT_NAMES | families, "endpoint"),
        ("dialects", DIALECTS, "dialect"),
    ):
        for index, name in enumerate(getattr(key, field) or ()):
            if name not in known:
                hint = suggestion(name, known) or f"known: {', '.join(sorted(known))}"
                yield child(field, index), f"no {what} {name!r}", hint
    if key.networks == ():
        yield "networks", "it may be used from nowhere", "name networks, or remove the key"
