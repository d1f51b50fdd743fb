"""A gateway's cache: which stores stand behind its memory, as the document says."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import NamedTuple

from penstock.adapters.answers.memory import MemoryAnswers
from penstock.adapters.answers.thread import BlockingAnswers, ThreadedAnswers
from penstock.bootstrap.plan_source import LazyBox
from penstock.bootstrap.state_dir import StateDir
from penstock.config.document import Document
from penstock.core.kept import Purge
from penstock.pipeline.caches import Caches
from penstock.ports.clock import Clock

PURPOSE = "answers"
log = logging.getLogger("penstock.gateway")


class Store(NamedTuple):
    """Where answers are kept: `kind`, and how many bytes in memory and in the file."""

    kind: str
    most_bytes: int
    most_file_bytes: int


def store_of(document: Document) -> Store:
    """What the document says, or leaves to us: Redis where there is one, else memory alone."""
    server = document.server
    cache = server.cache
    kind = cache.store or ("redis" if server.redis_url is not None else "memory")
    return Store(kind, cache.max_bytes, cache.max_file_bytes)


def caches_for(document: Document, state: StateDir, clock: Clock, part: object) -> Caches:
    """The cache of one gateway; no file is opened before the first route with a cache is asked.

    `part` is its part of shared accounts, which has the connection where it is Redis that shares them.
    """
    store = store_of(document)
    caches = Caches(clock, MemoryAnswers(store.most_bytes))
    if store.kind == "sqlite":
        caches.deep = file_answers(state, store.most_file_bytes)
    if store.kind == "redis":
        from penstock.adapters.redis.answers import RedisAnswers  # noqa: PLC0415 - only where there is a Redis
        from penstock.bootstrap.redis_part import RedisPart  # noqa: PLC0415 - see above

        if not isinstance(part, RedisPart):
            raise RuntimeError("server.cache.store is redis, and there is no server.redis_url")

        def heard(purge: Purge) -> None:
            caches.heard(purge)

        box = LazyBox(state.root, os.environ, PURPOSE, shared=True)
        caches.deep = RedisAnswers(part.connection, box, clock.now_ms, heard)
    return caches


def file_answers(state: StateDir, most_bytes: int) -> ThreadedAnswers:
    """The file that all gateways of this machine share."""

    def open_file() -> BlockingAnswers:
        from penstock.adapters.answers.file import AnswerFile  # noqa: PLC0415 - in the thread, once it is needed

        return AnswerFile(state.answers, LazyBox(state.root, os.environ, PURPOSE), most_bytes)

    loop = asyncio.get_running_loop()
    return ThreadedAnswers(
        open_file, loop.call_soon_threadsafe, lambda error: log.error("kept answers: %s", error)
    )
