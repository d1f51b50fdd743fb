from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from penstock.adapters.clock import LoopClock
from penstock.adapters.oracle.line import ABSENT, OracleLine
from penstock.bootstrap.inference import InferenceServer
from penstock.ports.oracle import Question, Ticket


def echoing(question: Question) -> tuple[tuple[float, ...], str]:
    """Tells the length of the prompt, or why not."""
    return ((float(len(question.prompt)),), "") if question.about == "known" else ((), "nobody knows it")


@asynccontextmanager
async def house(
    answer: Callable[[Question], tuple[tuple[float, ...], str]],
) -> AsyncGenerator[tuple[Path, InferenceServer]]:
    """An inference server on a socket of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "i.sock"
        server = InferenceServer(answer)
        await server.listen(path)
        try:
            yield path, server
        finally:
            await server.close()


async def told(line: OracleLine, question: Question, within_s: float = 30.0) -> Ticket:
    """Ask, and wait for the ticket as a policy does."""
    woken = asyncio.Event()
    ticket = line.ask(question, woken.set, within_s)
    if not ticket.done:
        await asyncio.wait_for(woken.wait(), 30.0)
    return ticket


def test_questions_are_answered_over_the_socket() -> None:
    """Many at once, each ticket gets its own answer, and whoever connects is told so."""

    async def play() -> None:
        connected: list[bool] = []
        async with house(echoing) as (path, _):
            line = OracleLine(path, LoopClock(asyncio.get_running_loop()), lambda: connected.append(True))
            await line.tend(wanted=True)
            asked = [Question("router", "known", "x" * length) for length in range(20)]
            tickets = await asyncio.gather(*[told(line, question) for question in asked])
            assert [ticket.told for ticket in tickets] == [(float(length),) for length in range(20)]
            unknown = await told(line, Question("scorer", "other", "x"))
            assert (unknown.told, unknown.why) == ((), "nobody knows it")
            assert connected == [True]
            line.close()

    asyncio.run(play())


def test_a_process_that_is_not_there_is_said_at_once() -> None:
    """Before it starts, and when it dies with questions under way."""

    async def play() -> None:
        with tempfile.TemporaryDirectory() as folder:
            line = OracleLine(Path(folder) / "no.sock", LoopClock(asyncio.get_running_loop()), lambda: None)
            await line.tend(wanted=True)
            ticket = line.ask(Question("router", "known", "x"), lambda: None, 1.0)
            assert (ticket.done, ticket.why) == (True, ABSENT)
        entered, release = asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def stuck(_: Question) -> tuple[tuple[float, ...], str]:
            loop.call_soon_threadsafe(entered.set)
            release.wait(30.0)
            return (), ""

        async with house(stuck) as (path, server):
            line = OracleLine(path, LoopClock(loop), lambda: None)
            await line.tend(wanted=True)
            waiting = asyncio.create_task(told(line, Question("router", "known", "x")))  # noqa: TID251 - awaited below
            await entered.wait()
            await server.close()
            assert (await waiting).why == ABSENT
            release.set()

    asyncio.run(play())


def test_what_nobody_waits_for_is_not_worked_out() -> None:
    """A question whose time is over when its turn comes is dropped."""

    async def play() -> None:
        seen: list[str] = []

        def noting(question: Question) -> tuple[tuple[float, ...], str]:
            seen.append(question.prompt)
            return (1.0,), ""

        async with house(noting) as (path, _):
            line = OracleLine(path, LoopClock(asyncio.get_running_loop()), lambda: None)
            await line.tend(wanted=True)
            late = line.ask(Question("router", "known", "late"), lambda: None, -1.0)
            assert (await told(line, Question("router", "known", "in time"))).told == (1.0,)
            assert seen == ["in time"]
            assert not late.done
            line.close()

    asyncio.run(play())
