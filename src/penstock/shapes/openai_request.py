"""An OpenAI-shaped request as both sides see it: what was read of it, and the bytes that it came in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from penstock.core.chat import ChatRequest
from penstock.wire.json_fields import Fields
from penstock.wire.multipart import Form

# No vendor's service tier has a longer name; the rest of one is not written down.
MAX_TIER: Final = 64


Task = Literal["chat", "count", "embed", "rerank", "image", "speech", "transcript", "video", "other"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How one path is read.

    `stream_shape`: how its streams are read, None where it has none. `cap_fields`: the request fields that
    bound the output. `prompt_fields`: whose text is the input, for estimates. `usage_on_request`: a
    stream tells its usage only where it is asked to. `shape` names its JSON: a target that speaks it gets the
    bytes; `task` is what can be translated for one that does not. `cap_path` leads to the output bound where
    it does not stand at the top. `framing` is how its clients' streams are framed, unless their query says SSE
    by `sse_query`.
    """

    name: str
    path: str
    body: Literal["json", "multipart", "either"] = "json"
    stream_shape: Literal["chunks", "events"] | None = None
    cap_fields: tuple[str, ...] = ()
    prompt_fields: tuple[str, ...] = ()
    default_model: str | None = None
    usage_on_request: bool = False
    makes_images: bool = False
    dialect: str = "openai"
    shape: str = "openai"
    task: Task = "other"
    cap_path: tuple[str, ...] = ()
    framing: Literal["sse", "json_array", "aws"] = "sse"
    sse_query: bytes = b""

    def framed(self, query: bytes) -> Literal["sse", "json_array", "aws"]:
        """How a stream of this endpoint is framed for a client that asked with this query."""
        return "sse" if self.sse_query and self.sse_query in query else self.framing


@dataclass(slots=True, eq=False, init=False)
class OpenAIRequest:
    """What the gateway read of a request. Exactly one of `fields` and `form` is set.

    `cap` is the client's own bound on output tokens per choice, `choices` how many it asked for;
    `prompt_chars` measures the input text for estimates. `service_tier` is empty where none is asked for.
    `chat` is the request in the pivot, once something has asked for it. `bound`: the key allows no more than
    `cap`, so that it is always sent. `resumable`: its stream may be gone on with elsewhere, so that it is
    written by us and not passed; `going_on` is then the stream that has begun (upstream.going_on.GoingOn).
    `rewritten`: `chat` says something else than the bytes, and holds.
    `withheld` names what guards took out of it and will put back into the answer, which is then for nobody
    else.
    """

    endpoint: Endpoint
    model: str
    stream: bool
    wants_usage: bool
    cap: int | None
    cap_field: str | None
    choices: int
    prompt_chars: int
    metadata: dict[str, str]
    fields: Fields | None
    form: Form | None
    service_tier: str
    chat: ChatRequest | None
    bound: bool
    resumable: bool
    going_on: object | None
    rewritten: bool
    withheld: bytes

    # Written out, because it is compiled then: the one that a dataclass makes is not.
    def __init__(
        self,
        endpoint: Endpoint,
        model: str,
        stream: bool,
        wants_usage: bool,
        cap: int | None,
        cap_field: str | None,
        choices: int,
        prompt_chars: int,
        metadata: dict[str, str],
        fields: Fields | None = None,
        form: Form | None = None,
        service_tier: str = "",
        chat: ChatRequest | None = None,
        bound: bool = False,
        resumable: bool = False,
        going_on: object | None = None,
        rewritten: bool = False,
        withheld: bytes = b"",
    ) -> None:
        self.endpoint = endpoint
        self.model = model
        self.stream = stream
        self.wants_usage = wants_usage
        self.cap = cap
        self.cap_field = cap_field
        self.choices = choices
        self.prompt_chars = prompt_chars
        self.metadata = metadata
        self.fields = fields
        self.form = form
        self.service_tier = service_tier
        self.chat = chat
        self.bound = bound
        self.resumable = resumable
        self.going_on = going_on
        self.rewritten = rewritten
        self.withheld = withheld
