"""Several upstream calls as one: a vendor's task is sent in, looked at until it is done, its result fetched.

A Flow (ports/media.py) says which call is next; here they are made, one at a time, so that everything above
sees a single call. Pauses between looks grow; the attempt's own deadline bounds the whole. When the call is
given up, the vendor is told to stop where it can be told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from penstock.core.errors import ShapeError
from penstock.core.origin import Origin
from penstock.core.target import Target
from penstock.ports.clock import Clock, Timer
from penstock.ports.media import Answered, Ask, Done, Failed, Flow
from penstock.ports.transport import Call, ResponseHandler, Transport
from penstock.providers.openai.errors import TASK_FAILED
from penstock.upstream.addresses import address_of, request_bytes

_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_JSON = {b"content-type": b"application/json"}


@dataclass(frozen=True, slots=True)
class TaskRules:
    """Seconds between looks (the first pause, its growth, the longest), and how patient we are.

    `patience`: looks that may fail in a row. `stop_s`: how long telling the vendor to stop may take.
    `loopback`: results may be fetched over plain HTTP from this machine, for tests.
    """

    first_s: float = 0.5
    growth: float = 1.4
    longest_s: float = 5.0
    patience: int = 5
    stop_s: float = 30.0
    loopback: bool = False


class Tasks:
    """Implements ports.transport.Transport for one attempt; `begin` gives a fresh flow for each call."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        rules: TaskRules,
        target: Target,
        begin: Callable[[], Flow],
        request_id: str,
    ) -> None:
        self.transport = transport
        self.clock = clock
        self.rules = rules
        self.target = target
        self.request_id = request_id
        self._begin = begin

    def send(self, origin: Origin, request: bytes, handler: ResponseHandler, connect_s: float) -> Call:
        """Begin a flow; where it goes and what it sends, it says itself."""
        del origin, request
        task = _Task(self, self._begin(), handler, connect_s)
        task.ask(task.flow.first())
        return task


class _Task:
    """Implements Call over the calls of a flow, one after the other."""

    def __init__(self, tasks: Tasks, flow: Flow, handler: ResponseHandler, connect_s: float) -> None:
        self._tasks = tasks
        self.flow = flow
        self._handler = handler
        self._connect_s = connect_s
        self._call: Call | None = None
        self._step: _Step | None = None
        self._timer: Timer | None = None
        self._pause_s = tasks.rules.first_s
        self._missed = 0
        self._connected = False
        self._begun = False
        self._over = False
        self._named: dict[bytes, bytes] = {}

    # --- Call -------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """See Call. A task whose first answer is still to come can only be called off after it."""
        if self._over:
            return
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        call = self._call
        if call is not None and self._connected and not self._begun and self.flow.stops:
            self._timer = self._tasks.clock.call_later(self._tasks.rules.stop_s, self._forget)
            return
        self._forget()
        self._stop()

    def _forget(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _stop(self) -> None:
        """Tell the vendor that nobody waits any more."""
        ask = self.flow.cancel()
        address = address_of(ask, self._tasks.target, self._tasks.rules.loopback) if ask is not None else None
        if ask is None or address is None:
            return
        tasks = self._tasks
        request = request_bytes(ask, address, tasks.target, tasks.request_id)
        last = _LastWord()
        call = tasks.transport.send(address.origin, request, last, self._connect_s)
        last.timer = tasks.clock.call_later(tasks.rules.stop_s, call.cancel) if not last.ended else None

    def pause(self) -> None:
        """See Call."""
        if self._call is not None:
            self._call.pause()

    def resume(self) -> None:
        """See Call."""
        if self._call is not None:
            self._call.resume()

    # --- the next call ----------------------------------------------------------------------------------

    def ask(self, ask: Ask) -> None:
        """Make a call, after a pause where it looks again."""
        if not ask.again:
            self._send(ask)
            return
        self._timer = self._tasks.clock.call_later(self._pause_s, lambda: self._send(ask))
        rules = self._tasks.rules
        self._pause_s = min(self._pause_s * rules.growth, rules.longest_s)

    def _send(self, ask: Ask) -> None:
        self._timer = None
        tasks = self._tasks
        address = address_of(ask, tasks.target, tasks.rules.loopback)
        if address is None:
            self._fail("foreign_address", "the vendor named an address that is not one of its documented hosts")
            return
        step = self._step = _Step(self, ask)
        request = request_bytes(ask, address, tasks.target, tasks.request_id)
        call = tasks.transport.send(address.origin, request, step, self._connect_s)
        if self._step is step and not step.ended:
            self._call = call
            if self._over and not self.flow.stops:
                self._forget()

    # --- what the calls tell ----------------------------------------------------------------------------

    def connected(self, *, reused: bool) -> None:
        """A call is on its way; the first one counts."""
        if not self._connected:
            self._connected = True
            if not self._over:
                self._handler.on_connected(reused=reused)

    def head(self, step: _Step) -> None:
        """The head of an answer that passes."""
        if not self._over:
            self._handler.on_head(200, step.headers)

    def data(self, data: bytes) -> None:
        """A piece of an answer that passes."""
        if not self._over:
            self._handler.on_data(data)

    def too_large(self) -> None:
        """More than the flow said it may be."""
        self._forget()
        self._fail("garbage", "the vendor's answer is too large")

    def ended(self, step: _Step) -> None:
        """A call's answer is complete."""
        self._call = None
        first, self._begun = not self._begun, True
        if self._over:
            self._answered_late(step)
        elif step.passing:
            self._over = True
            self._handler.on_end()
        elif 200 <= step.status < 300 or (step.ask.any_status and step.status >= 400):
            self._missed = 0
            self._named = self._named or {n: step.headers[n] for n in (b"x-request-id",) if n in step.headers}
            self._read(step, first=first)
        elif step.ask.again and step.status in _PASSING and self._missed < self._tasks.rules.patience:
            self._missed += 1
            self.ask(step.ask)
        elif not step.ask.keyed or step.status < 400:
            self._fail("fetch_failed", f"fetching the result was answered with status {step.status}")
        else:
            self._finish(step.status, step.headers, step.body())

    def failed(self, step: _Step, cause: str, detail: str) -> None:
        """A call broke. A task that has been sent in is not sent again for that."""
        self._call = None
        if self._over:
            if self._timer is not None:
                self._timer.cancel()
            return
        if step.ask.again and self._missed < self._tasks.rules.patience:
            self._missed += 1
            self.ask(step.ask)
        elif step.passing or not self._begun:
            self._over = True
            self._handler.on_failure(cause, detail)
        else:
            self._fail("task_lost", f"{cause}: {detail}")

    def _read(self, step: _Step, *, first: bool) -> None:
        try:
            then = self.flow.next(Answered(step.body(), step.status))
        except ShapeError as error:
            self._fail("garbage" if first else "task_lost", str(error))
            return
        if isinstance(then, Ask):
            self.ask(then)
        elif isinstance(then, Done):
            self._finish(200, self._named | _JSON, then.body)
        else:
            self._finish(then.status, self._named | _JSON, _told(then))

    def _answered_late(self, step: _Step) -> None:
        """Nobody waits; the answer is good for calling the task off."""
        if self._timer is not None:
            self._timer.cancel()
        if 200 <= step.status < 300:
            try:
                self.flow.next(Answered(step.body(), step.status))
            except ShapeError:
                return
            self._stop()

    def _finish(self, status: int, headers: dict[bytes, bytes], body: bytes) -> None:
        self._over = True
        self._handler.on_head(status, headers)
        self._handler.on_data(body)
        self._handler.on_end()

    def _fail(self, cause: str, detail: str) -> None:
        self._over = True
        self._stop()
        self._handler.on_failure(cause, detail)


class _Step:
    """Implements ResponseHandler for one call."""

    def __init__(self, task: _Task, ask: Ask) -> None:
        self._task = task
        self.ask = ask
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.passing = False
        self.ended = False
        self._parts: list[bytes] = []
        self._size = 0

    def body(self) -> bytes:
        """What has come."""
        return b"".join(self._parts)

    def on_connected(self, *, reused: bool) -> None:
        """See ResponseHandler."""
        self._task.connected(reused=reused)

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """See ResponseHandler."""
        self.status, self.headers = status, headers
        if self.ask.passes and status == 200:
            self.passing = True
            self._task.head(self)

    def on_data(self, data: bytes) -> None:
        """See ResponseHandler."""
        if self.passing:
            self._task.data(data)
        elif not self.ended:
            self._parts.append(data)
            self._size += len(data)
            if self._size > self.ask.most:
                self.ended = True
                self._task.too_large()

    def on_end(self) -> None:
        """See ResponseHandler."""
        self.ended = True
        self._task.ended(self)

    def on_failure(self, cause: str, detail: str) -> None:
        """See ResponseHandler."""
        self.ended = True
        self._task.failed(self, cause, detail)


class _LastWord:
    """Implements ResponseHandler for the call that stops a task; what comes of it changes nothing."""

    def __init__(self) -> None:
        self.timer: Timer | None = None
        self.ended = False

    def on_connected(self, *, reused: bool) -> None:
        """See ResponseHandler."""

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """See ResponseHandler."""

    def on_data(self, data: bytes) -> None:
        """See ResponseHandler."""

    def on_end(self) -> None:
        """See ResponseHandler."""
        self.ended = True
        if self.timer is not None:
            self.timer.cancel()

    def on_failure(self, cause: str, detail: str) -> None:
        """See ResponseHandler."""
        del cause, detail
        self.on_end()


def _told(failed: Failed) -> bytes:
    code = failed.code if failed.status < 500 else TASK_FAILED
    return msgspec.json.encode({"error": {"message": failed.message, "code": code}})
