"""Model name → how the simulator behaves: one table that `--help`, the documentation and the parser share.

A name is one or more words joined by `+` (`slow-500ms+tokens-200`); what stands before the last `/` is
ignored, so `sim/echo` and `echo` are the same. Later words win over earlier ones. A word that is not in the
table changes nothing, so that any real model name works and echoes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

Fault = Literal[
    "",
    "refuse",
    "hang",
    "hang_after",
    "cut_after",
    "cut_mid_event",
    "malformed_sse",
    "error_first",
    "error_after",
    "garbage",
    "html",
    "empty_204",
]


class Behaviour(msgspec.Struct, frozen=True):
    """How one request is answered. Times are seconds, shares lie in 0..1, counts are tokens or SSE events.

    `text` is what the answer says: the last user message, `OK.`, as many seeded words as `tokens` says, or
    nothing. `status` is 0 for success. `tool_calls` is how many tools are called, None where the request
    decides. `service_tier` is the one that is reported, empty for the one asked for. `cached` is how many
    input tokens came from a cache, None for none, -1 for three quarters of them; `cache_written` is how many
    were written to one. `blocked`: the prompt is refused as unsafe. `redacted`: thinking comes encrypted.
    """

    text: Literal["echo", "tiny", "tokens", "empty"] = "echo"
    tokens: int = 0
    delay_s: float = 0.0
    ttft_s: float = 0.0
    itl_s: float = 0.0
    jitter: float = 0.0
    drip_s: float = 0.0
    status: int = 0
    retry_after_s: int | None = None
    flaky: float = 0.0
    fault: Fault = ""
    after: int = 0
    usage: Literal["asked", "never", "last_chunk"] = "asked"
    cached: int | None = None
    cache_written: int = 0
    service_tier: str = ""
    reasoning: int = 0
    redacted: bool = False
    tool_calls: int | None = None
    text_with_tools: bool = False
    broken_arguments: bool = False
    json: bool = False
    filtered: bool = False
    blocked: bool = False
    done: bool = True
    crlf: bool = False
    comments: bool = False


ECHO = Behaviour()


class Name(NamedTuple):
    """One row of the table.

    `form` is the name, with `<n>` (a whole number), `<t>` (a duration: `500ms` or `2s`) or `<share>` (0..1)
    in it; `fields` of Behaviour are set as given, and the field called `parameter` to the number in the name.
    """

    form: str
    example: str
    meaning: str
    fields: dict[str, Any] = {}  # noqa: RUF012 - rows are constants
    parameter: str = ""


NAMES: tuple[Name, ...] = (
    # What is said
    Name("echo", "echo", "says the last user message", {"text": "echo"}),
    Name("tiny", "tiny", "says `OK.`", {"text": "tiny"}),
    Name("empty", "empty", "succeeds with an empty text", {"text": "empty"}),
    Name("tokens-<n>", "tokens-500", "says n tokens of seeded words", {"text": "tokens"}, "tokens"),
    Name("long", "long", "says 2000 tokens of seeded words", {"text": "tokens", "tokens": 2000}),
    Name("json", "json", "says a JSON object without being asked for JSON", {"json": True}),
    Name("tool-call", "tool-call", "calls the first tool that the request offers", {"tool_calls": 1}),
    Name("tool-calls-<n>", "tool-calls-2", "calls n tools in parallel, round and round", {}, "tool_calls"),
    Name("no-tools", "no-tools", "answers with text although tools are offered", {"tool_calls": 0}),
    Name("broken-arguments", "broken-arguments", "calls tools with invalid JSON", {"broken_arguments": True}),
    Name("parallel-tools", "parallel-tools", "calls two tools in parallel: tool-calls-2", {"tool_calls": 2}),
    Name(
        "text-with-tools",
        "text-with-tools",
        "says its text first where it calls tools",
        {"text_with_tools": True},
    ),
    Name(
        "reasoning",
        "reasoning",
        "thinks for 32 tokens first: `reasoning_content`, or the API's own thinking",
        {"reasoning": 32},
    ),
    Name("reasoning-<n>", "reasoning-128", "thinks for n tokens first", {}, "reasoning"),
    Name("thinking", "thinking", "thinks for 32 tokens first: reasoning", {"reasoning": 32}),
    Name("thinking-<n>", "thinking-128", "thinks for n tokens first", {}, "reasoning"),
    Name(
        "redacted-thinking",
        "redacted-thinking",
        "thinks for 32 tokens first, encrypted where the API can (Anthropic, Converse)",
        {"reasoning": 32, "redacted": True},
    ),
    Name(
        "content-filter",
        "content-filter",
        "stops half-way: finish reason `content_filter`, or the API's own",
        {"filtered": True},
    ),
    Name(
        "safety-block",
        "safety-block",
        "refuses the prompt as unsafe: a 400 of OpenAI, an empty answer of the others",
        {"blocked": True},
    ),
    # What is reported
    Name("no-usage", "no-usage", "never reports usage", {"usage": "never"}),
    Name(
        "usage-in-last-chunk",
        "usage-in-last-chunk",
        "reports usage, asked or not, on the chunk that has the finish reason",
        {"usage": "last_chunk"},
    ),
    Name("cached", "cached", "reports three quarters of the input as read from a cache", {"cached": -1}),
    Name("cached-<n>", "cached-64", "reports n input tokens (at most all) as read from a cache", {}, "cached"),
    Name(
        "cache-write-<n>",
        "cache-write-64",
        "reports n input tokens (at most all) as written to a cache",
        {},
        "cache_written",
    ),
    Name(
        "tier-default",
        "tier-default",
        "says that it used the service tier `default`, whatever was asked for",
        {"service_tier": "default"},
    ),
    Name("tier-priority", "tier-priority", "says that it used `priority`", {"service_tier": "priority"}),
    # When it comes
    Name("slow-<t>", "slow-500ms", "sends nothing, headers included, for this long", {}, "delay_s"),
    Name("ttft-<t>", "ttft-200ms", "first event (unstreamed: the answer) this late", {}, "ttft_s"),
    Name("itl-<t>", "itl-20ms", "this long between events; unstreamed, between tokens", {}, "itl_s"),
    Name("jitter", "jitter", "each wait varies by ±50 %", {"jitter": 0.5}),
    Name("jitter-<share>", "jitter-0.2", "each wait varies by ± this share", {}, "jitter"),
    Name("drip", "drip", "one byte at a time, 1 ms apart", {"drip_s": 0.001}),
    Name("drip-<t>", "drip-5ms", "one byte at a time, this far apart", {}, "drip_s"),
    # How it fails
    Name("error-<n>", "error-429", "fails with this status; 429 and 503 with Retry-After: 1", {}, "status"),
    Name("retry-after-<n>s", "retry-after-7s", "sets the Retry-After of errors", {}, "retry_after_s"),
    Name("flaky-<share>", "flaky-0.1", "this share of the requests fails with 500, seeded", {}, "flaky"),
    Name("refuse", "refuse", "resets the connection instead of answering", {"fault": "refuse"}),
    Name("hang", "hang", "never sends a byte", {"fault": "hang"}),
    Name(
        "hang-after-<n>",
        "hang-after-3",
        "hangs after n events; unstreamed, in the middle of the body",
        {"fault": "hang_after"},
        "after",
    ),
    Name(
        "cut-after-<n>",
        "cut-after-3",
        "closes the connection after n events; unstreamed, in the middle of the body",
        {"fault": "cut_after"},
        "after",
    ),
    Name(
        "cut-mid-event",
        "cut-mid-event",
        "closes the connection in the middle of the third event; unstreamed, of the body",
        {"fault": "cut_mid_event", "after": 2},
    ),
    Name(
        "malformed-sse",
        "malformed-sse",
        "the third event is broken JSON; unstreamed, the body is",
        {"fault": "malformed_sse", "after": 2},
    ),
    Name(
        "error-first",
        "error-first",
        "status 200, but the stream's first event is an error; unstreamed: status 500",
        {"fault": "error_first", "after": 0},
    ),
    Name(
        "error-after-<n>",
        "error-after-3",
        "n events, then an error event and the end; unstreamed: status 500",
        {"fault": "error_after"},
        "after",
    ),
    Name("garbage", "garbage", "status 200 with a body that is not JSON", {"fault": "garbage"}),
    Name("html", "html", "status 200 with an HTML page", {"fault": "html"}),
    Name("empty-204", "empty-204", "status 204 without a body", {"fault": "empty_204"}),
    # Legal oddities of streams
    Name("no-done", "no-done", "ends streams without `[DONE]` (Anthropic: `message_stop`)", {"done": False}),
    Name("crlf", "crlf", "ends the lines of events with CR LF", {"crlf": True}),
    Name("comments", "comments", "sends an SSE comment before each event", {"comments": True}),
)

_PARAMETERS = {
    "<n>": r"(?P<n>\d{1,7})",
    "<t>": r"(?P<t>\d{1,7}(?:\.\d{1,3})?)(?P<unit>ms|s)",
    "<share>": r"(?P<share>0|1|0?\.\d{1,6}|1\.0{1,6})",
}
_ERROR_STATUS = range(400, 600)


def _pattern(form: str) -> re.Pattern[str]:
    text = re.escape(form)
    for parameter, pattern in _PARAMETERS.items():
        text = text.replace(parameter, pattern)
    return re.compile(text)


_TABLE = tuple((_pattern(name.form), name) for name in NAMES)


def _number(match: re.Match[str]) -> float:
    found = match.groupdict()
    if found.get("t"):
        return float(found["t"]) / (1000.0 if found["unit"] == "ms" else 1.0)
    return int(found["n"]) if found.get("n") else float(found["share"])


def _changes(word: str) -> dict[str, Any] | None:
    """The fields that one word sets, or None for a word that is not in the table."""
    for pattern, name in _TABLE:
        match = pattern.fullmatch(word)
        if match is None:
            continue
        if not name.parameter:
            return name.fields
        value = _number(match)
        if name.parameter == "status" and value not in _ERROR_STATUS:
            return None
        return name.fields | {name.parameter: value}
    return None


def is_known(model: str) -> bool:
    """Whether every word of the name is in the table."""
    return all(_changes(word) is not None for word in model.rsplit("/", 1)[-1].split("+"))


@lru_cache(maxsize=4096)
def behaviour_of(model: str, defaults: Behaviour = ECHO) -> Behaviour:
    """The behaviour that a model name asks for, on top of `defaults`; never fails."""
    fields = msgspec.structs.asdict(defaults)
    for word in model.rsplit("/", 1)[-1].split("+"):
        fields.update(_changes(word) or {})
    return Behaviour(**fields)


def names_as_markdown() -> str:
    """The table of names for the documentation, one row a line, without a heading."""
    rows = [f"| `{name.form}` | `{name.example}` | {name.meaning} |" for name in NAMES]
    return "\n".join(["| name | for example | what happens |", "|---|---|---|", *rows]) + "\n"


def names_as_text() -> str:
    """The table of names for a terminal, one row a line."""
    width = max(len(name.form) for name in NAMES)
    return "\n".join(f"{name.form:<{width}}  {name.meaning.replace('`', '')}" for name in NAMES)
