"""Which API a request body is written for, by its members, where nothing else says so."""

from __future__ import annotations

from typing import Any, cast


def shape_of(body: dict[str, Any]) -> str:
    """A registered dialect's shape; OpenAI's chat where nothing speaks against it."""
    if "contents" in body:
        return "gemini"
    if "input" in body and "messages" not in body:
        return "openai.responses"
    if "prompt" in body and "messages" not in body:
        return "openai.completions"
    if any(name in body for name in ("inferenceConfig", "toolConfig", "modelId")) or _has_bare_blocks(body):
        return "converse"
    if "system" in body or _tools_of_anthropic(body) or _has_blocks_of_anthropic(body):
        return "anthropic"
    return "openai.chat"


def _blocks(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Blocks of the system prompt and of turns, as far as they are objects."""
    lists = [turn.get("content") for turn in _objects(body.get("messages"))] + [body.get("system")]
    return [block for blocks in lists for block in _objects(blocks)]


def _has_bare_blocks(body: dict[str, Any]) -> bool:
    return any("type" not in block for block in _blocks(body))


def _has_blocks_of_anthropic(body: dict[str, Any]) -> bool:
    own = {"tool_use", "tool_result", "document", "thinking", "redacted_thinking", "search_result"}
    return any(block.get("type") in own for block in _blocks(body))


def _tools_of_anthropic(body: dict[str, Any]) -> bool:
    return any("input_schema" in tool for tool in _objects(body.get("tools")))


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; none in anything else."""
    items = cast("list[Any]", value) if isinstance(value, list) else []
    return [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]
