"""What a policy may know of a request, worked out when it is asked for, and once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from penstock.core.exchange import RequestFacts, Subject
from penstock.core.plan import VirtualKey
from penstock.core.policy import PolicyNode
from penstock.core.predicates import FIELDS, Value
from penstock.dialects.prompts import images_in, prefix_of, prompt_of, tools_in
from penstock.routing.floors import Floors
from penstock.routing.trees import targets_of
from penstock.shapes.openai_request import OpenAIRequest

CHARS_PER_TOKEN: Final = 4.0
TYPICAL_TOKENS: Final = 256
_KEY_TAGS: Final = "key.tags."
_REQUEST_TAGS: Final = "request.tags."
_MS_PER_HOUR: Final = 3_600_000


class Learnt(Protocol):
    """What one target's answers have taught."""

    def input_tokens(self, chars: int) -> int:
        """An estimate of the tokens in so many characters of input."""
        ...

    def mean_output_tokens(self) -> float:
        """How long its answers are, on average of late."""
        ...

    def cached_share(self) -> float:
        """Which share of its input tokens was read from the provider's cache of late, from 0 to 1."""
        ...


class _NothingLearnt:
    """Of a target that nobody has asked yet."""

    def input_tokens(self, chars: int) -> int:
        """See Learnt."""
        return int(chars / CHARS_PER_TOKEN) + (chars > 0)

    def mean_output_tokens(self) -> float:
        """See Learnt."""
        return TYPICAL_TOKENS

    def cached_share(self) -> float:
        """See Learnt."""
        return 0.0


NOTHING_LEARNT: Final = _NothingLearnt()


def nothing_learnt(target_id: str) -> Learnt:
    """What is known of targets where no gateway runs."""
    del target_id
    return NOTHING_LEARNT


class RequestView:
    """One request as policies see it.

    `learnt` tells what a target's answers have taught, by its id; the ratio of characters to tokens of the
    first target in `policy` stands for the route. `region` is where this gateway runs.
    `floors`: whose scores are too low.
    """

    __slots__ = (
        "_images",
        "_prefix",
        "_prompt",
        "_tokens",
        "_tools",
        "facts",
        "floors",
        "key",
        "learnt",
        "policy",
        "region",
        "request",
        "subject",
    )

    def __init__(
        self,
        request: OpenAIRequest,
        facts: RequestFacts,
        subject: Subject,
        key: VirtualKey,
        learnt: Callable[[str], Learnt] = nothing_learnt,
        policy: PolicyNode | None = None,
        region: str = "",
        floors: Floors | None = None,
    ) -> None:
        self.request = request
        self.facts = facts
        self.subject = subject
        self.key = key
        self.learnt = learnt
        self.policy = policy
        self.region = region
        self.floors = floors
        self._tokens = -1
        self._images = -1
        self._tools = -1
        self._prompt: str | None = None
        self._prefix = b""

    @property
    def input_tokens(self) -> int:
        """An estimate of the request's input tokens, by the learnt ratio of the route's first target."""
        if self._tokens < 0:
            first = next(targets_of(self.policy), None) if self.policy is not None else None
            learnt = self.learnt(first.id) if first is not None else NOTHING_LEARNT
            self._tokens = learnt.input_tokens(self.request.prompt_chars)
        return self._tokens

    @property
    def output_cap(self) -> int | None:
        """The client's own bound on output tokens."""
        return self.request.cap

    @property
    def prompt(self) -> str:
        """The text of the last turn in which the user says something."""
        if self._prompt is None:
            self._prompt = prompt_of(self.request)
        return self._prompt

    @property
    def prefix(self) -> bytes:
        """A hash of what the conversation begins with: system, tools and the first prompt."""
        if not self._prefix:
            self._prefix = prefix_of(self.request)
        return self._prefix

    def value(self, name: str) -> Value:
        """What a condition asks for (core.predicates); None where the request has none of it."""
        if name.startswith(_KEY_TAGS):
            return self.key.tags.get(name[9:])
        if name.startswith(_REQUEST_TAGS):
            return self.facts.tags.get(name[13:])
        return self._text(name) or None if FIELDS.get(name) == "text" else self._number(name)

    def _number(self, name: str) -> Value:
        """The number, count or flag of that name."""
        if name == "input_tokens":
            return self.input_tokens
        if name == "max_tokens":
            return self.request.cap
        if name == "stream":
            return self.request.stream
        if name == "tools":
            if self._tools < 0:
                self._tools = tools_in(self.request)
            return self._tools
        if name == "images":
            if self._images < 0:
                self._images = images_in(self.request)
            return self._images
        return self.facts.ts_ms // _MS_PER_HOUR % 24 if name == "hour" else None

    def _text(self, name: str) -> str:
        """The text of that name, empty where there is none."""
        facts, subject = self.facts, self.subject
        if name == "key":
            return self.key.id
        if name == "team":
            return subject.team
        if name == "org":
            return subject.org
        if name == "user":
            return subject.user
        if name == "dialect":
            return facts.dialect
        if name == "endpoint":
            return facts.endpoint
        if name == "task":
            return facts.task
        return self.region if name == "region" else ""

    def who(self, by: str) -> str:
        """Whom a choice that stays the same is made for: by `user`, `session`, `prefix`, `key` or `request`.

        A request without a user is known by its session, one without a session by what its conversation begins
        with, and one without even that by its key. Names of different organisations are never the same.
        """
        facts, subject = self.facts, self.subject
        if by == "request":
            return facts.request_id
        if by == "key":
            return f"key:{self.key.id}"
        if by == "user" and subject.user:
            return f"user:{subject.org}/{subject.user}"
        if by != "prefix" and facts.session:
            return f"session:{subject.org}/{facts.session}"
        if self.request.prompt_chars:
            return f"prefix:{subject.org}/{self.prefix.hex()}"
        return f"key:{self.key.id}"
