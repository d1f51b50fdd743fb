"""Who is asked what the gateway cannot work out by itself: the inference process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

Kind = Literal["router", "scorer", "function", "semantic"]


class Question(msgspec.Struct, frozen=True, gc=False):
    """What is asked of whom.

    `router`: the model `about` on the prompt; told is the expected quality of each of its models.
    `scorer`: the model `about` on prompt and answer; told is one probability that the answer is right.
    `function`: the Python function `about`; told is one number, 0 to 1.
    `semantic`: the index of kept questions; `about` says what is wished (adapters/oracle/meant.py).
    """

    kind: Kind
    about: str
    prompt: str
    answer: str = ""
    logprobs: tuple[float, ...] = ()


class Ticket:
    """A question under way: `told` once `done`; empty where nothing could be told, and `why` says why."""

    __slots__ = ("done", "told", "why")

    def __init__(self) -> None:
        self.done = False
        self.told: tuple[float, ...] = ()
        self.why = ""

    def tell(self, told: tuple[float, ...], why: str = "") -> None:
        """The answer, once; what comes later is passed over."""
        if not self.done:
            self.done = True
            self.told = told
            self.why = why


class Oracle(Protocol):
    """Takes questions. It never raises and never waits: `woken` is called once the ticket is done."""

    def ask(self, question: Question, woken: Callable[[], None], within_s: float) -> Ticket:
        """The ticket; `woken` is not called where it is done at once. After `within_s` nobody waits for it."""
        ...
