"""Reply and behaviour → the steps that a connection performs: bytes, waits and faults, as HTTP/1.1.

Pure but for the draws of its random source: what a connection does with a step is the only IO there is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from enum import Enum
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple

from penstock.simulator.behaviour import Behaviour
from penstock.simulator.reply import SSE_TYPE, Api, Reply


class End(Enum):
    """What follows a step's bytes: more steps, the proper end, or a way in which upstreams break."""

    MORE = 0
    DONE = 1
    CUT = 2
    RESET = 3
    HANG = 4


class Step(NamedTuple):
    """Wait `delay_s`, write `data`, go on as `end` says; `event`: with it one SSE event is complete."""

    data: bytes
    delay_s: float = 0.0
    end: End = End.MORE
    event: bool = False


_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_LAST_CHUNK = b"0\r\n\r\n"
_PAGE = b"<!doctype html><html><head><title>Bad gateway</title></head><body>Simulated.</body></html>\n"


def head(reply: Reply, length: int | None, *, close: bool) -> bytes:
    """The status line and headers; without a `length` the body is chunked."""
    api = reply.api
    start = _start_of_head(reply.status, reply.content_type, api.head, close)
    if reply.status == HTTPStatus.NO_CONTENT:
        framing = ""
    elif length is None:
        framing = "transfer-encoding: chunked\r\n"
    else:
        framing = f"content-length: {length}\r\n"
    own = f"{api.id_header}: {api.id_form.format(reply.digest)}\r\n" if reply.digest else ""
    more = "".join(f"{name}: {value}\r\n" for name, value in reply.headers) if reply.headers else ""
    return f"{start}{framing}{own}{more}\r\n".encode("latin-1")


@lru_cache(maxsize=256)
def _start_of_head(status: int, content_type: str, always: str, close: bool) -> str:
    lines = [f"HTTP/1.1 {status} {_PHRASES.get(status, 'Unknown')}\r\n"]
    if status != HTTPStatus.NO_CONTENT:
        lines.append(f"content-type: {content_type}\r\n")
    lines.append(always)
    if close:
        lines.append("connection: close\r\n")
    return "".join(lines)


def failed(behaviour: Behaviour, api: Api, digest: str) -> Reply:
    """The error that a behaviour with a status asks for."""
    after = behaviour.retry_after_s
    if after is None and behaviour.status in {429, 503}:
        after = 1
    reply = api.error(behaviour.status, "", digest)
    if after is not None:
        reply.headers = (*reply.headers, ("retry-after", str(after)))
    return reply


def deliver(reply: Reply, behaviour: Behaviour, draw: random.Random, *, close: bool) -> Iterator[Step]:
    """The steps that answer one request; `close` announces that the connection ends after it."""
    if reply.events is None and _prompt(behaviour):
        return iter((Step(head(reply, len(reply.body), close=close) + reply.body, 0.0, End.DONE),))
    steps = _deliver(reply, behaviour, _waits(behaviour, draw), close=close)
    return _dripping(steps, behaviour.drip_s) if behaviour.drip_s else steps


def _prompt(behaviour: Behaviour) -> bool:
    """Whether an answer comes whole and at once: by far the most frequent case, so it has a short cut."""
    timed = behaviour.delay_s or behaviour.ttft_s or behaviour.itl_s or behaviour.drip_s
    return not timed and not behaviour.fault


def _waits(behaviour: Behaviour, draw: random.Random) -> Callable[[float], float]:
    if not behaviour.jitter:
        return lambda delay: delay
    share = behaviour.jitter
    return lambda delay: delay * draw.uniform(1 - share, 1 + share) if delay else 0.0


def _deliver(
    reply: Reply, behaviour: Behaviour, wait: Callable[[float], float], *, close: bool
) -> Iterator[Step]:
    delay = wait(behaviour.delay_s)
    if behaviour.fault == "refuse":
        yield Step(b"", delay, End.RESET)
        return
    if behaviour.fault == "hang":
        yield Step(b"", delay, End.HANG)
        return
    if behaviour.fault in {"garbage", "html", "empty_204"}:
        reply = _nonsense(reply, behaviour)
    if reply.events is None:
        yield from _whole(reply, behaviour, wait, delay, close=close)
    else:
        yield Step(head(reply, None, close=close), delay)
        yield from _stream(reply, reply.events, behaviour, wait)


def _nonsense(reply: Reply, behaviour: Behaviour) -> Reply:
    if behaviour.fault == "html":
        return Reply(content_type="text/html; charset=utf-8", body=_PAGE, digest=reply.digest, api=reply.api)
    if behaviour.fault == "garbage":
        return Reply(body=reply.api.garbage, digest=reply.digest, api=reply.api)
    return Reply(status=204, digest=reply.digest, api=reply.api)


def _whole(
    reply: Reply, behaviour: Behaviour, wait: Callable[[float], float], delay: float, *, close: bool
) -> Iterator[Step]:
    """An answer that is not streamed: faults that belong into streams become their nearest kin."""
    if behaviour.fault in {"error_first", "error_after"}:
        reply = reply.api.error(500, "", reply.digest)
    elif behaviour.fault == "malformed_sse":
        reply = Reply(body=reply.api.garbage, digest=reply.digest, api=reply.api)
    start = head(reply, len(reply.body), close=close)
    thinking = wait(behaviour.ttft_s + behaviour.itl_s * max(0, reply.tokens - 1))
    if behaviour.fault in {"cut_after", "cut_mid_event", "hang_after"}:
        end = End.HANG if behaviour.fault == "hang_after" else End.CUT
        yield Step(start + reply.body[: len(reply.body) // 2], delay + thinking, end)
    else:
        yield Step(start + reply.body, delay + thinking, End.DONE)


def _stream(
    reply: Reply, events: Iterator[bytes], behaviour: Behaviour, wait: Callable[[float], float]
) -> Iterator[Step]:
    delay = behaviour.ttft_s
    fault, after = behaviour.fault, behaviour.after
    sse = reply.content_type == SSE_TYPE
    for number, each in enumerate(events):
        if fault and number == after and fault not in {"refuse", "hang"}:
            if fault == "malformed_sse":
                yield Step(_chunk(reply.broken_event, behaviour, sse=sse), wait(delay), event=True)
                continue
            yield from _break(reply, each, behaviour, wait(delay))
            return
        yield Step(_chunk(each, behaviour, sse=sse), wait(delay), event=True)
        delay = behaviour.itl_s
    yield Step(_LAST_CHUNK, 0.0, End.DONE)


def _break(reply: Reply, each: bytes, behaviour: Behaviour, delay: float) -> Iterator[Step]:
    """How a stream ends early; `each` is the event that would have come next."""
    sse = reply.content_type == SSE_TYPE
    if behaviour.fault == "hang_after":
        yield Step(b"", delay, End.HANG)
    elif behaviour.fault == "cut_after":
        yield Step(b"", delay, End.CUT)
    elif behaviour.fault == "cut_mid_event":
        # The chunk itself is whole: the cut is one of SSE, seen only by who parses events.
        yield Step(_chunk(each[: len(each) // 2], behaviour, sse=sse), delay, End.CUT)
    else:
        yield Step(_chunk(reply.error_event, behaviour, sse=sse), delay, event=True)
        yield Step(_LAST_CHUNK, 0.0, End.DONE)


def _chunk(data: bytes, behaviour: Behaviour, *, sse: bool) -> bytes:
    """One HTTP chunk; the oddities of SSE do not touch other streams."""
    if behaviour.comments and sse:
        data = b": simulated\n\n" + data
    if behaviour.crlf and sse:
        data = data.replace(b"\n", b"\r\n")
    return b"%x\r\n%b\r\n" % (len(data), data)


def _dripping(steps: Iterator[Step], drip_s: float) -> Iterator[Step]:
    """The same bytes, each on its own."""
    for step in steps:
        delay = step.delay_s
        for place in range(len(step.data) - 1):
            yield Step(step.data[place : place + 1], delay)
            delay = drip_s
        yield Step(step.data[-1:], delay, step.end, step.event)
