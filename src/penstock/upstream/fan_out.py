"""Several answers from a vendor that gives one at a time: the same request n times, read as one response.

The pieces of n responses reach one handler marked with the leg that they came from (`index length` and a
newline before each), so that everything above sees a single call: it is paused, cancelled and settled as one.
"""

from __future__ import annotations

from penstock.core.origin import Origin
from penstock.ports.transport import Call, ResponseHandler, Transport
from penstock.upstream.codec import Framer

MAX_LEGS = 16


class FanOut:
    """Implements ports.transport.Transport for one attempt."""

    def __init__(self, transport: Transport, legs: int) -> None:
        self._transport = transport
        self._legs = legs

    def send(self, origin: Origin, request: bytes, handler: ResponseHandler, connect_s: float) -> Call:
        """Send the request once for each leg."""
        spread = _Spread(handler, self._legs)
        for leg in spread.legs:
            if not spread.over:
                leg.call = self._transport.send(origin, request, leg, connect_s)
        if spread.over:
            spread.cancel()
        return spread


class _Spread:
    """Implements Call over all legs; tells the handler what they amount to."""

    def __init__(self, handler: ResponseHandler, count: int) -> None:
        self._handler = handler
        self.legs = [_Leg(self, at) for at in range(count)]
        self._connected = False
        self._headed = False
        self.over = False

    def cancel(self) -> None:
        """See Call."""
        self.over = True
        for leg in self.legs:
            call, leg.call = leg.call, None
            if call is not None and not leg.ended:
                call.cancel()

    def pause(self) -> None:
        """See Call."""
        for leg in self.legs:
            if leg.call is not None and not leg.ended:
                leg.call.pause()

    def resume(self) -> None:
        """See Call."""
        for leg in self.legs:
            if leg.call is not None and not leg.ended:
                leg.call.resume()

    def connected(self, *, reused: bool) -> None:
        """The first leg is on its way."""
        if not self._connected and not self.over:
            self._connected = True
            self._handler.on_connected(reused=reused)

    def head(self, leg: _Leg) -> None:
        """A leg's head: an error speaks for all, and success waits for all."""
        if self.over or self._headed:
            return
        if leg.status != 200:
            self._speak(leg)
            return
        if all(each.status == 200 for each in self.legs):
            self._headed = True
            first = self.legs[0]
            headers = {name: value for name, value in first.headers.items() if name != b"content-length"}
            self._handler.on_head(200, headers)
            for each in self.legs:
                for piece in each.held:
                    self._handler.on_data(_marked(each.index, piece))
                each.held.clear()
            self._maybe_end()

    def _speak(self, leg: _Leg) -> None:
        """One leg failed: its answer is the answer, and the others are given up."""
        for other in self.legs:
            call = other.call
            if other is not leg and call is not None and not other.ended:
                other.call = None
                call.cancel()
        self.legs = [leg]
        self._headed = True
        leg.alone = True
        self._handler.on_head(leg.status, leg.headers)

    def data(self, leg: _Leg, data: bytes) -> None:
        """A piece of a leg's body."""
        if self.over:
            return
        if leg.alone:
            self._handler.on_data(data)
        elif self._headed:
            self._handler.on_data(_marked(leg.index, data))
        else:
            leg.held.append(data)

    def ended(self, leg: _Leg) -> None:
        """A leg's body is complete."""
        leg.ended = True
        self._maybe_end()

    def _maybe_end(self) -> None:
        if not self.over and self._headed and all(leg.ended for leg in self.legs):
            self.over = True
            self._handler.on_end()

    def failed(self, leg: _Leg, cause: str, detail: str) -> None:
        """A leg broke: the others are given up."""
        leg.ended = True
        if not self.over:
            self.cancel()
            self._handler.on_failure(cause, detail)


class _Leg:
    """Implements ResponseHandler for one of the calls."""

    def __init__(self, spread: _Spread, index: int) -> None:
        self._spread = spread
        self.index = index
        self.call: Call | None = None
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.held: list[bytes] = []
        self.ended = False
        self.alone = False

    def on_connected(self, *, reused: bool) -> None:
        """See ResponseHandler."""
        self._spread.connected(reused=reused)

    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        """See ResponseHandler."""
        self.status, self.headers = status, headers
        self._spread.head(self)

    def on_data(self, data: bytes) -> None:
        """See ResponseHandler."""
        self._spread.data(self, data)

    def on_end(self) -> None:
        """See ResponseHandler."""
        self._spread.ended(self)

    def on_failure(self, cause: str, detail: str) -> None:
        """See ResponseHandler."""
        self._spread.failed(self, cause, detail)


def _marked(leg: int, data: bytes) -> bytes:
    return b"%d %d\n%b" % (leg, len(data), data)


def unmarked(text: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The whole pieces with their legs, and the bytes of one that is not complete."""
    pieces: list[tuple[int, bytes]] = []
    at = 0
    while (line_end := text.find(b"\n", at)) >= 0:
        leg, size = text[at:line_end].split(b" ")
        start = line_end + 1
        end = start + int(size)
        if end > len(text):
            break
        pieces.append((int(leg), text[start:end]))
        at = end
    return pieces, text[at:]


def legs_of(body: bytes) -> list[bytes]:
    """The bodies of the legs, in order."""
    gathered: dict[int, list[bytes]] = {}
    for leg, data in unmarked(body)[0]:
        gathered.setdefault(leg, []).append(data)
    return [b"".join(gathered[leg]) for leg in sorted(gathered)]


class LegFramer:
    """Implements upstream.codec.Framer: events of all legs, each with its leg's index and a space before it."""

    def __init__(self, framers: list[Framer]) -> None:
        self._framers = framers
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """See Framer."""
        pieces, self._rest = unmarked(self._rest + data)
        return [b"%d %b" % (leg, event) for leg, piece in pieces for event in self._framers[leg].feed(piece)]

    def rest(self) -> bytes:
        """See Framer; incomplete events are of no use to anybody."""
        return b""
