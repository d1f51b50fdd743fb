"""The inference process: answers gateways' questions that need a model or somebody's Python.

Run as `python -m penstock.bootstrap.inference`. It starts only where a route needs it. What it cannot answer,
or not in time, the asker decides by its stated default.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

from penstock.adapters.credentials.place import address_of
from penstock.adapters.oracle.lines import MAX_LINE_BYTES, Asked, Told, read_asked, told_line
from penstock.bootstrap import lifeline
from penstock.bootstrap.plan_source import LazyBox
from penstock.bootstrap.state_dir import StateDir
from penstock.inference.answering import Answering
from penstock.inference.semantic_answers import SemanticAnswers
from penstock.ports.embedder import WordEmbedder
from penstock.ports.oracle import Question

# Functions are somebody else's code and may wait for something.
FUNCTIONS = 4
log = logging.getLogger("penstock.inference")
Answer = Callable[[Question], tuple[tuple[float, ...], str]]


class InferenceServer:
    """Takes questions from gateways. One at a time is worked out; functions run beside."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._models: Executor = ThreadPoolExecutor(1, "models")
        self._functions: Executor = ThreadPoolExecutor(FUNCTIONS, "functions")
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()

    async def listen(self, path: Path) -> None:
        """Open the socket, for this user alone; nothing may be in its place. Raises OSError."""
        before = os.umask(0o177)
        try:
            with address_of(path) as address:
                self._server = await asyncio.start_unix_server(self._serve, address, limit=MAX_LINE_BYTES)
        finally:
            os.umask(before)

    async def close(self) -> None:
        """Take no more; what is under way is not waited for."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._clients):
            writer.close()
        self._models.shutdown(wait=False, cancel_futures=True)
        self._functions.shutdown(wait=False, cancel_futures=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            while line := await reader.readline():
                self._take(line, writer)
        except (ConnectionError, ValueError):  # a line without end
            pass
        finally:
            self._clients.discard(writer)
            writer.close()

    def _take(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            asked = read_asked(line)
        except ValueError as error:
            log.warning("a question cannot be read: %s", error)
            return
        loop = asyncio.get_running_loop()
        where = self._functions if asked.kind == "function" else self._models
        work = loop.run_in_executor(where, self._work, asked, loop.time)

        def done(finished: asyncio.Future[Told | None]) -> None:
            told = None if finished.cancelled() else finished.result()
            if told is not None and not writer.is_closing():
                writer.write(told_line(told))

        work.add_done_callback(done)

    def _work(self, asked: Asked, now: Callable[[], float]) -> Told | None:
        """None where nobody waits for it any more."""
        if now() > asked.until:
            return None
        told, why = self._answer(asked.question())
        return Told(asked.id, told, why)


def open_installed(env: Mapping[str, str]) -> WordEmbedder:
    """The installed embedder. Raises EmbedderMissingError."""
    from penstock.adapters.embedder.onnx import OnnxEmbedder  # noqa: PLC0415 - models of words need none
    from penstock.adapters.embedder.place import embedder_folder  # noqa: PLC0415
    from penstock.inference.training import MOST_TOKENS  # noqa: PLC0415

    return OnnxEmbedder(embedder_folder(env), most_tokens=MOST_TOKENS)


def open_questions(embedder: WordEmbedder, state: StateDir, env: Mapping[str, str]) -> SemanticAnswers:
    """What the semantic cache knows, sealed on disk. Raises OSError."""
    import numpy as np  # noqa: PLC0415 - only where a route has a semantic cache

    from penstock.inference.questions import Questions  # noqa: PLC0415 - see above
    from penstock.inference.semantic import SemanticService  # noqa: PLC0415 - see above

    box = LazyBox(state.root, env, "questions")
    questions = Questions(state.questions, embedder.dimensions, embedder.name, box=box)
    return SemanticAnswers(SemanticService(embedder, questions, np.random.default_rng()))


async def serve(state: StateDir) -> None:
    """Until a signal, or the supervisor's end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    descriptor = lifeline.inherited()
    if descriptor is not None:
        loop.add_reader(descriptor, stop.set)
    answering = Answering(
        lambda: open_installed(os.environ), lambda embedder: open_questions(embedder, state, os.environ)
    )
    server = InferenceServer(answering.answer)
    await server.listen(state.inference)
    await stop.wait()
    await server.close()
    answering.close()


def main() -> int:
    """Answer until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    # Functions of users are found where the supervisor was started.
    sys.path.insert(0, str(Path.cwd()))
    state = StateDir(Path(os.environ["PENSTOCK_STATE_DIR"]))
    state.inference.unlink(missing_ok=True)
    asyncio.run(serve(state))
    state.inference.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
