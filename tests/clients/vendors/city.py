"""All scripted vendors on one port, each below a path of its own, and the gateway that knows them."""

from __future__ import annotations

from collections.abc import Callable

from tests.clients.vendors import anthropic, chat, converse, gemini, responses
from tests.translation.upstream import Answer, Asked

CONFIG = """
version: 1
providers:
  sim: {kind: simulator}
  oai: {kind: openai, base_url: "CITY/openai/v1", api_key: secret-openai}
  ant: {kind: anthropic, base_url: "CITY/anthropic/v1", api_key: secret-anthropic}
  gem: {kind: google, base_url: "CITY/gemini/v1beta", api_key: secret-google}
  aws: {kind: bedrock, base_url: "CITY/bedrock", api_key: secret-aws}
routes:
  hello: {policy: ant/claude-sonnet-4-5}
  # Names that libraries know, so that they ask for all that such a model can.
  gpt-4o: {policy: ant/claude-sonnet-4-5}
  gpt-4.1: {policy: gem/gemini-2.5-flash}
  gpt-4.1-mini: {policy: oai/gpt-5}
keys:
  - {name: dev, secret: sk-test-gateway, org: acme, direct: true}
"""
CLAUDE_ON_AWS = "aws/anthropic.claude-sonnet-4-5-20250929-v1:0"
_BY_PATH: tuple[tuple[str, Callable[[Asked], Answer]], ...] = (
    ("/openai/v1/chat/completions", chat.reply),
    ("/openai/v1/responses", responses.reply),
    ("/openai/v1/embeddings", chat.embeddings),
    ("/anthropic/v1/messages", anthropic.reply),
    ("/gemini/v1beta/models/", gemini.reply),
    ("/bedrock/model/", converse.reply),
)


def reply(asked: Asked) -> Answer:
    """The vendor's answer; an address that none of them has is a 404."""
    for path, vendor in _BY_PATH:
        if asked.path.startswith(path):
            return vendor(asked)
    return Answer({"error": f"nobody lives at {asked.path}"}, status=404)
