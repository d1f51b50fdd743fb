"""The same byte streams to nginx and to us: every difference in verdict is one that the documentation lists."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.test_tools import ensure_nginx
from tests.server.doubles import holds, run, serving
from tests.server.streams import streams

ROOT = Path(__file__).parents[2]
COUNT = 5000
AT_ONCE = 32
CONFIG = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; {user}
events {{ worker_connections 512; }}
http {{
  access_log off; proxy_ignore_client_abort on; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  client_max_body_size 32m; large_client_header_buffers 4 16k;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen unix:{folder}/sock; location / {{ proxy_pass http://unix:{folder}/end; }} }}
  server {{ listen unix:{folder}/end; location / {{ return 200 "ok"; }} }}
}}
"""


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Path]:
    """The Unix socket of an nginx that reads whole requests, bodies included."""
    path = ensure_nginx()
    if path is None:
        pytest.skip("nginx is not installed")
    user = "user root;" if os.geteuid() == 0 else ""
    (tmp_path / "nginx.conf").write_text(CONFIG.format(folder=tmp_path, user=user))
    command = [path, "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path), "-e", str(tmp_path / "error.log")]
    process = subprocess.Popen(command)
    deadline = time.monotonic() + 20
    while not (tmp_path / "sock").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield tmp_path / "sock"
    process.terminate()
    process.wait(20)


async def verdict(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes, cuts: list[int]
) -> str:
    """2xx, 4xx (any refusal) or close, of the first final answer."""
    with contextlib.suppress(ConnectionError):
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            writer.write(data[start:end])
            await writer.drain()
        writer.write_eof()
    answer = b""
    with contextlib.suppress(ConnectionError):
        answer = await asyncio.wait_for(reader.read(-1), 20)
    writer.close()
    found = re.match(rb"(?:HTTP/1.1 100 [^\r]*\r\n\r\n)?HTTP/1\.[01] (\d)", answer)
    if found is None:
        return "2xx" if answer == b"ok" else "close"
    return "2xx" if found[1] in b"23" else "4xx"


def listed() -> dict[str, str]:
    """The differences that docs/http-framing.md lists: mutation to `stricter` or `laxer`."""
    text = (ROOT / "docs" / "http-framing.md").read_text()
    rows: list[tuple[str, str]] = re.findall(r"^\| `(\w+:\d+)` \| (stricter|laxer) \|", text, re.MULTILINE)
    return dict(rows)


def test_verdicts_differ_from_nginxs_only_where_the_documentation_says_so(nginx: Path) -> None:
    """5,000 seeded streams, cut at seeded places: each difference is explained by one listed mutation."""
    known = listed()
    unlisted: dict[str, set[str]] = {}

    async def main() -> None:
        gate = asyncio.Semaphore(AT_ONCE)

        async with serving() as setup:

            async def compare(name: str, data: bytes, cuts: list[int]) -> None:
                async with gate:
                    theirs = await verdict(*await asyncio.open_unix_connection(str(nginx)), data, cuts)
                    ours = await verdict(*await asyncio.open_connection("127.0.0.1", setup.port), data, cuts)
                if ("2xx" in (ours, theirs)) and ours != theirs:
                    kind = "laxer" if ours == "2xx" else "stricter"
                    if not any(known.get(part) == kind for part in name.split("+")):
                        unlisted.setdefault(f"{name} {kind}", set()).add(f"{ours} {theirs} {data[:80]!r}")

            async with asyncio.TaskGroup() as group:
                for name, data, cuts in streams(2, COUNT):
                    group.create_task(compare(name, data, cuts))
            await holds(lambda: not setup.server.connections)

    run(main)
    assert not unlisted, "\n".join(f"{name}: {seen}" for name, seen in sorted(unlisted.items()))
