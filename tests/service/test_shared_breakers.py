"""Two machines on one Redis: what one finds down the other leaves, and finds well again."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from penstock.cli import main
from tests.accounts.redis_server import RedisServer
from tests.clients.needed import needed
from tests.service.service import Service, until
from tests.translation.upstream import Answer, Asked, CannedUpstream

KEY = "sk-test-gateway"
CONFIG = """\
version: 1
server: {{redis_url: "{redis}"}}
defaults: {{health: {{open_s: 60, max_open_s: 90}}}}
providers:
  bad: {{kind: openai, base_url: "{bad}/v1", api_key: sk-bad}}
  good: {{kind: openai, base_url: "{good}/v1", api_key: sk-good}}
routes:
  r: {{policy: {{fallback: [bad/m, good/m]}}}}
keys: [{{name: dev, secret: {key}, routes: [r]}}]
"""
GOOD: dict[str, Any] = {
    "id": "c", "object": "chat.completion", "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}  # fmt: skip


def ask(service: Service) -> str:
    """One chat; the target that answered."""
    body = {"model": "r", "messages": [{"role": "user", "content": "Hello"}]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{service.port}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return str(response.headers["x-penstock-target"])
    except urllib.error.HTTPError as error:
        with error:
            raise AssertionError(error.read()) from None


def test_what_one_machine_finds_down_the_other_leaves(tmp_path: Path) -> None:
    """Without one attempt of its own; while Redis is away each machine goes by what it finds itself."""
    broken = Answer({"error": {"message": "no", "type": "server_error"}}, status=500)

    def answer(asked: Asked) -> Answer:
        del asked
        return broken

    with (
        CannedUpstream(answer) as bad,
        CannedUpstream(Answer(GOOD)) as good,
        RedisServer(needed("redis") / "redis-server", tmp_path) as redis,
    ):
        text = CONFIG.format(redis=redis.url, bad=bad.url, good=good.url, key=KEY)
        folders = [tmp_path / name for name in ("one", "two", "three")]
        for folder in folders:
            folder.mkdir()
        with Service(folders[0], text) as one, Service(folders[1], text) as two:
            while "bad/m" not in state(one):
                assert ask(one) == "good/m"
            until(lambda: "bad/m" in state(two), 20.0)
            tried = len(bad.asked)
            assert [ask(two) for _ in range(5)] == ["good/m"] * 5
            assert len(bad.asked) == tried
            with Service(folders[2], text) as three:  # it comes later
                until(lambda: "bad/m" in state(three), 20.0)
                redis.stop()
                assert ask(three) == "good/m"
            redis.start()


def state(service: Service) -> dict[str, str]:
    """Targets that a machine leaves, with the reason."""
    told = CliRunner().invoke(main, ["route", "health", "--json", "--state-dir", str(service.state)])
    rows: list[dict[str, str]] = json.loads(told.output)["targets"] if told.exit_code == 0 else []
    return {row["target"]: row["reason"] for row in rows if row["breaker"] != "closed"}
