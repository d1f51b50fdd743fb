"""A service of the user's that is asked for an answer when nothing else is left."""

from __future__ import annotations

from penstock.core.origin import Origin
from penstock.core.policy import Leaf


class Hook:
    """Where to post, and how. `key` signs, empty for no signature; `prompt`: the last prompt is sent along."""

    __slots__ = ("key", "origin", "path", "prompt", "timeout_s")

    def __init__(self, origin: Origin, path: bytes, key: bytes, timeout_s: float, *, prompt: bool) -> None:
        self.origin = origin
        self.path = path
        self.key = key
        self.timeout_s = timeout_s
        self.prompt = prompt


class WebhookNode(Leaf):
    """Answer with the text that a service gives, marked degraded."""

    __slots__ = ("hook",)

    def __init__(self, hook: Hook) -> None:
        self.hook = hook
