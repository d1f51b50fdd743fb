"""What happens on the wire: faults, hang-ups, pipelining, framing."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable

import msgspec
import pytest

from penstock.simulator import Behaviour, Settings, Simulator
from penstock.simulator.behaviour import behaviour_of
from penstock.simulator.delivery import End, deliver
from penstock.simulator.reply import Reply, event
from penstock.testing.simulator import SimulatorThread

Dial = Callable[[], socket.socket]


def request(model: str, *, stream: bool = True, user: str = "", chunked: bool = False) -> bytes:
    """A chat request as bytes; chunked: its body in chunks of seven bytes."""
    value = {
        "model": model,
        "stream": stream,
        "user": user,
        "messages": [{"role": "user", "content": "a b c d"}],
    }
    body = msgspec.json.encode(value)
    start = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-request-id: r-%b\r\n" % user.encode()
    if not chunked:
        return start + b"content-length: %d\r\n\r\n%b" % (len(body), body)
    pieces = [body[place : place + 7] for place in range(0, len(body), 7)]
    framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return start + b"transfer-encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


def read_to_end(connection: socket.socket) -> bytes:
    """Everything until the server closes."""
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def read_until(connection: socket.socket, mark: bytes) -> bytes:
    """Everything up to the first arrival of the mark."""
    data = b""
    while mark not in data:
        piece = connection.recv(65536)
        assert piece, data
        data += piece
    return data


def wait_for(condition: Callable[[], bool]) -> None:
    """Until the condition holds; the test's own time limit ends it otherwise."""
    while not condition():
        time.sleep(0.002)


def test_a_cut_stream_has_its_events_and_no_end(simulator: SimulatorThread, dial: Dial) -> None:
    """`cut-after-3` sends three events and closes without the last chunk."""
    connection = dial()
    connection.sendall(request("cut-after-3"))
    answer = read_to_end(connection)
    assert answer.count(b"data: ") == 3
    assert b"0\r\n\r\n" not in answer
    assert simulator.requests()[0].events == 3
    assert simulator.counts.broken == 1


def test_a_cut_may_come_in_the_middle_of_an_event(dial: Dial) -> None:
    """`cut-mid-event` leaves a third event without its end."""
    connection = dial()
    connection.sendall(request("cut-mid-event"))
    answer = read_to_end(connection)
    assert answer.count(b"data: ") == 3
    assert answer.count(b"\n\n") == 2


def test_a_malformed_event_does_not_end_the_stream(dial: Dial) -> None:
    """`malformed-sse` breaks one event; the rest and `[DONE]` follow."""
    connection = dial()
    connection.sendall(request("malformed-sse"))
    answer = read_until(connection, b"0\r\n\r\n")
    assert b'"del\n\n' in answer
    assert b"data: [DONE]\n\n" in answer


@pytest.mark.parametrize(("model", "events"), [("hang", 0), ("hang-after-3", 3)])
def test_a_hang_up_is_recorded_with_what_was_sent(
    simulator: SimulatorThread, dial: Dial, model: str, events: int
) -> None:
    """Who leaves a hanging answer has hung up, after so many events."""
    connection = dial()
    connection.sendall(request(model, user="u1"))
    wait_for(lambda: bool(simulator.requests()) and simulator.requests()[0].events == events)
    assert simulator.counts.open == 1
    connection.close()
    wait_for(lambda: simulator.counts.hung_up == 1)
    gone = simulator.requests(marker="u1")[0]
    assert (gone.fate, gone.events, gone.request_id) == ("hung_up", events, "r-u1")
    assert gone.body_sha256


def test_refusing_resets_the_connection(dial: Dial) -> None:
    """`refuse` ends in a reset, not in an orderly close."""
    connection = dial()
    connection.sendall(request("refuse"))
    with pytest.raises(ConnectionResetError):
        connection.recv(1)


def test_a_closed_listener_truly_refuses(simulator: SimulatorThread) -> None:
    """No listening socket: connecting fails; then it listens on the same port again."""
    simulator.refuse_connections()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", simulator.port))
    simulator.accept_connections()
    socket.create_connection(("127.0.0.1", simulator.port)).close()


def test_refusing_for_a_while_ends_by_itself(simulator: SimulatorThread, dial: Dial) -> None:
    """POST /refuse closes the listener for the seconds it names; the connection that asked lives on."""
    connection = dial()
    connection.sendall(b'POST /refuse HTTP/1.1\r\ncontent-length: 16\r\n\r\n{"seconds": 0.1}')
    assert b"refusing_s" in read_until(connection, b"}")

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", simulator.port)) == 0

    wait_for(listens)


def test_pipelined_requests_are_answered_in_order(simulator: SimulatorThread, dial: Dial) -> None:
    """A slow first answer holds back the quick second one, and a chunked body is a body."""
    connection = dial()
    connection.sendall(
        request("slow-50ms+tiny", stream=False, user="first")
        + request("tiny", stream=False, user="second", chunked=True)
        + b"GET /v1/models/zz HTTP/1.1\r\nconnection: close\r\n\r\n"
    )
    answer = read_to_end(connection)
    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert answer.index(b'"slow-50ms+tiny"') < answer.index(b'"model":"tiny"') < answer.index(b'"zz"')
    assert [each.marker for each in simulator.requests()] == ["first", "second", ""]


def test_a_request_behind_a_long_stream_has_its_turn(dial: Dial) -> None:
    """A stream that had to wait for its reader ends, and the pipelined request after it is answered."""
    connection = dial()
    connection.sendall(request("tokens-20000") + request("tiny", stream=False))
    answer = read_until(connection, b'"OK."')
    assert answer.count(b"data: ") == 20_003


def test_bytes_may_arrive_one_by_one(dial: Dial) -> None:
    """However a request is split, it is read."""
    connection = dial()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in request("tiny", stream=False):
        connection.sendall(bytes([byte]))
    assert b'"OK."' in read_until(connection, b"}}}")


def test_a_client_that_waits_is_told_to_continue(dial: Dial) -> None:
    """`Expect: 100-continue` gets its interim answer before the body comes."""
    connection = dial()
    body = b'{"input": "x"}'
    connection.sendall(
        b"POST /v1/moderations HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body)
    )
    assert read_until(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(body)
    assert b"modr-" in read_until(connection, b"}")


@pytest.mark.parametrize(
    "nonsense", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"]
)
def test_bad_http_gets_a_400_and_the_end(dial: Dial, nonsense: bytes) -> None:
    """What is not HTTP is refused, and the connection closed."""
    connection = dial()
    connection.sendall(nonsense)
    assert read_to_end(connection).startswith(b"HTTP/1.1 400 ")


def test_a_reader_that_stops_does_not_fill_the_memory(simulator: SimulatorThread, dial: Dial) -> None:
    """Events are made as the client reads them: one that does not read stops them."""
    connection = dial()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.sendall(request("tokens-1000000"))
    wait_for(lambda: bool(simulator.requests()) and simulator.requests()[0].events > 0)
    seen = -1
    while (events := simulator.requests()[0].events) != seen:
        seen = events
        time.sleep(0.2)
    assert events < 100_000
    connection.close()
    wait_for(lambda: simulator.counts.hung_up == 1)


def test_a_script_is_played_in_order_and_used_up(simulator: SimulatorThread, dial: Dial) -> None:
    """Each rule answers its count of requests of its model; then all is as before."""
    simulator.play("error-500", "error-429", model="tiny")
    connection = dial()
    statuses: list[bytes] = []
    for model in ("echo", "tiny", "tiny", "tiny"):
        connection.sendall(request(model, stream=False))
        statuses.append(read_until(connection, b"}")[9:12])
    assert statuses == [b"200", b"500", b"429", b"200"]
    assert simulator.counts.by_status == {"200": 2, "500": 1, "429": 1}
    assert [each.behaviour for each in simulator.requests()] == ["", "error-500", "error-429", ""]


def test_the_script_and_the_record_are_reachable_over_http(dial: Dial) -> None:
    """POST, GET and DELETE of /script and /requests do what they say, and wrong rules are refused."""
    connection = dial()

    def call(method: bytes, path: bytes, body: bytes = b"") -> tuple[bytes, bytes]:
        connection.sendall(b"%b %b HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (method, path, len(body), body))
        head = read_until(connection, b"}")
        while head.count(b"{") > head.count(b"}"):
            head += connection.recv(65536)
        return head[9:12], head.partition(b"\r\n\r\n")[2]

    assert call(b"POST", b"/script", b'{"rules": [{"behaviour": "nonsense"}]}')[0] == b"400"
    assert call(b"POST", b"/script", b'{"rules": [{"behaviour": "tiny", "rate": 2}]}')[0] == b"400"
    assert call(b"POST", b"/script", b'{"rules": [{"behaviour": "tiny", "skip": 1}]}')[0] == b"200"
    for _ in range(2):
        connection.sendall(request("echo", stream=False))
        read_until(connection, b"}}}")
    assert b'"applied":1' in call(b"GET", b"/script")[1]
    assert call(b"DELETE", b"/script")[1] == b'{"rules":[]}'
    listed = msgspec.json.decode(call(b"GET", b"/requests?limit=1&model=echo")[1])
    assert listed["counts"]["total"] == 2
    assert [each["number"] for each in listed["requests"]] == [2]
    assert b'"total":0' in call(b"DELETE", b"/requests")[1]
    assert call(b"GET", b"/nowhere")[0] == b"404"
    assert call(b"GET", b"/v1/chat/completions")[0] == b"405"


def test_a_share_of_requests_fails_by_seed(dial: Dial) -> None:
    """`flaky` draws from the seed: the same run gives the same failures."""

    def statuses(seed: int) -> list[str]:
        with SimulatorThread(Settings(seed=seed)) as flaky:
            with socket.create_connection(("127.0.0.1", flaky.port)) as connection:
                for _ in range(40):
                    connection.sendall(request("flaky-0.5+tiny", stream=False))
                    read_until(connection, b"}")
            return [str(each.status) for each in flaky.requests()]

    del dial
    assert statuses(1) == statuses(1) != statuses(2)
    assert set(statuses(1)) == {"200", "500"}


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what was received has no event to wait for
        await asyncio.sleep(0.005)


async def _many_streams(count: int) -> int:
    async with Simulator() as simulator:
        opened = [await asyncio.open_connection("127.0.0.1", simulator.port) for _ in range(count)]
        for _, writer in opened:
            writer.write(request("hang-after-3"))
        await _until(lambda: sum(each.events for each in simulator.inbox.last()) == 3 * count)
        held = simulator.connections
        for _, writer in opened:
            writer.close()
        await _until(lambda: simulator.inbox.counts.hung_up == count)
        return held


def test_many_streams_are_open_at_once() -> None:
    """Four hundred streams hang side by side in one loop, and each hang-up is counted."""
    assert asyncio.run(_many_streams(400)) == 400


def test_waits_are_steps_before_the_events() -> None:
    """Time to the first event, then between events; jitter varies each within its share."""
    reply = Reply(events=iter([event(number) for number in range(4)]), content_type="text/event-stream")
    steps = list(deliver(reply, behaviour_of("ttft-200ms+itl-20ms"), random.Random(1), close=False))
    assert [step.delay_s for step in steps] == [0.0, 0.2, 0.02, 0.02, 0.02, 0.0]
    assert steps[-1].end is End.DONE
    whole = Reply(body=b"{}", tokens=11)
    for seed in range(20):
        behaviour = Behaviour(ttft_s=0.1, itl_s=0.01, jitter=0.5)
        (step,) = deliver(whole, behaviour, random.Random(seed), close=True)
        assert 0.1 <= step.delay_s <= 0.3
        assert b"connection: close" in step.data


def test_dripping_changes_no_byte() -> None:
    """`drip` cuts the same bytes into single ones, and still ends as it should."""
    plain = list(deliver(Reply(body=b"{}"), behaviour_of("tiny"), random.Random(1), close=False))
    drops = list(deliver(Reply(body=b"{}"), behaviour_of("drip-5ms"), random.Random(1), close=False))
    assert b"".join(step.data for step in drops) == plain[0].data
    assert {len(step.data) for step in drops} == {1}
    assert {step.delay_s for step in drops[1:]} == {0.005}
    assert drops[-1].end is End.DONE


@pytest.mark.parametrize(
    ("model", "mark"),
    [
        ("no-done", b"[DONE]"),
        ("crlf", b"}\n"),
        ("usage-in-last-chunk", b'"finish_reason":"stop"}],"usage":null'),
    ],
)
def test_legal_oddities_of_streams(dial: Dial, model: str, mark: bytes) -> None:
    """Streams that other vendors send: none of them has what OpenAI's has."""
    connection = dial()
    connection.sendall(request(model))
    assert mark not in read_until(connection, b"0\r\n\r\n")


def test_comments_come_before_events(dial: Dial) -> None:
    """`comments` adds a line that parsers must skip, one an event."""
    connection = dial()
    connection.sendall(request("comments+tiny"))
    answer = read_until(connection, b"0\r\n\r\n")
    assert answer.count(b": simulated\n\n") == answer.count(b"data: ")


@pytest.mark.parametrize(
    ("model", "mark"),
    [("html", b"content-type: text/html"), ("empty-204", b"HTTP/1.1 204 No Content"), ("garbage", b'"mess')],
)
def test_nonsense_comes_with_a_good_status(dial: Dial, model: str, mark: bytes) -> None:
    """A page, nothing, or half a JSON, streamed or not."""
    for stream in (True, False):
        connection = dial()
        connection.sendall(request(model, stream=stream))
        assert mark in read_until(connection, mark)
