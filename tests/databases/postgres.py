"""A PostgreSQL server of a test run's own, on a Unix socket in a folder that goes away with it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from scripts.test_tools import find_postgres
from tests.clients.needed import needed

_START_S = 60.0
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


class PostgresServer:
    """Runs until the block ends. It refuses to run as root, so that root lends it another user."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        # A socket's path has at most 107 bytes, which pytest's folders may exceed.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._process: subprocess.Popen[Any] | None = None
        self._databases = 0
        self._as: dict[str, Any] = {}
        self._user = pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            lent = _somebody()
            self._user = lent.pw_name
            os.chown(self.folder, lent.pw_uid, lent.pw_gid)
            self._as = {"user": lent.pw_uid, "group": lent.pw_gid, "extra_groups": []}

    def __enter__(self) -> Self:
        """Make a cluster and start it."""
        data = self.folder / "data"
        command = [self._programs / "initdb", "-D", data, "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, timeout=120, **self._as)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and leave nothing."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server, and wait until it answers. Raises TimeoutError."""
        settings = [word for setting in _FAST for word in ("-c", setting)]
        command = [
            self._programs / "postgres",
            "-D",
            self.folder / "data",
            "-k",
            self.folder,
            "-h",
            "",
            *settings,
        ]
        with (self.folder / "log").open("ab") as log:
            process: subprocess.Popen[Any] = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, **self._as
            )
        self._process = process
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            try:
                with psycopg.connect(self._dsn("postgres")):
                    return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise TimeoutError((self.folder / "log").read_text())

    def stop(self) -> None:
        """End the server; its clients' connections break."""
        if self._process is not None:
            self._process.send_signal(2)  # SIGINT: a fast shutdown
            self._process.wait(60)
            self._process = None

    def database(self) -> str:
        """The URL of a new, empty database."""
        self._databases += 1
        name = f"test{self._databases}"
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return f"postgresql://{self._user}@/{name}?host={self.folder}"

    def _dsn(self, name: str) -> str:
        return f"host={self.folder} user={self._user} dbname={name}"


def postgres_server() -> PostgresServer:
    """A server, not started yet. Skips the test where PostgreSQL cannot be had, and fails it in CI."""
    needed("postgres")
    programs = find_postgres()
    if programs is None:
        raise FileNotFoundError("initdb")
    return PostgresServer(programs)


def _somebody() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise KeyError("no user to run PostgreSQL as")
