"""Anthropic's Messages API, what comes in: refuses what Anthropic would refuse, with messages of that kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from penstock.simulator import anthropic_fields as fields
from penstock.simulator.reply import Refused, Request
from penstock.simulator.signature import is_signed
from penstock.simulator.strict import Invalid, Value, listed, within

SIGNED = "claude"
_THOUGHTS = frozenset({"thinking", "redacted_thinking"})
_DOCS = (
    "Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
)
_MOST_CACHED = 4
_NOT_SAID_BY = {
    "user": ("tool_use", *sorted(_THOUGHTS)),
    "assistant": ("tool_result", "image", "document"),
    "system": ("tool_use", "tool_result", "image", "document", *sorted(_THOUGHTS)),
}


class Turn(msgspec.Struct):
    """One message, its content always as blocks; `index` is its place in the request."""

    index: int
    role: str
    blocks: list[Value]

    def of_type(self, *kinds: str) -> Iterator[tuple[int, Value]]:
        """The blocks of these types with their places."""
        return ((place, block) for place, block in enumerate(self.blocks) if block["type"] in kinds)


def read(request: Request) -> Value:
    """The request's fields. Raises Refused."""
    if not request.headers.get("anthropic-version"):
        raise Refused("anthropic-version: header is required")
    beta = bool(request.headers.get("anthropic-beta"))
    try:
        ask = msgspec.json.decode(request.body)
    except msgspec.DecodeError as error:
        raise Refused(f"The request body is not valid JSON: {error}") from None
    counting = request.action == "count_tokens"
    plain = fields.COUNT_TOKENS if counting else fields.MESSAGES
    try:
        ((fields.COUNT_TOKENS_BETA if counting else fields.MESSAGES_BETA) if beta else plain)(ask, ())
    except Invalid as invalid:
        raise Refused(_worded(invalid)) from None
    turns = turns_of(ask)
    if any(block.get("text") == "" for block in listed(ask, "system")):
        raise Refused("system: text content blocks must be non-empty")
    _check_turns(turns)
    _check_results(turns)
    _check_thoughts(turns)
    _check_tools(ask)
    _check_thinking(ask, turns)
    _check_caching(ask)
    return ask


def _worded(invalid: Invalid) -> str:
    where = ".".join(str(step) for step in invalid.path)
    if invalid.fault == "unknown":
        return f"{where}: Extra inputs are not permitted"
    if invalid.fault == "missing":
        return f"{where}: Field required"
    if invalid.fault == "type":
        article = "" if invalid.detail == "number" else "a valid "
        return f"{where}: Input should be {article}{invalid.detail}" if where else "Input should be an object"
    if invalid.detail.startswith("of a type"):
        tags = invalid.detail.rpartition(" of ")[2]
        return f"{where}: Input tag found using 'type' does not match any of the expected tags: {tags}"
    if invalid.detail.startswith("a string that matches pattern"):
        return f"{where}: String should match pattern {invalid.detail.rpartition(' pattern ')[2]}"
    return f"{where}: Input should be {invalid.detail}"


def turns_of(ask: Value) -> list[Turn]:
    """The messages, with texts as blocks."""
    return [
        Turn(
            index,
            message["role"],
            [{"type": "text", "text": message["content"]}]
            if isinstance(message["content"], str)
            else message["content"],
        )
        for index, message in enumerate(ask["messages"])
    ]


def _check_turns(turns: Sequence[Turn]) -> None:
    if not turns:
        raise Refused("messages: at least one message is required")
    if turns[0].role == "system":
        raise Refused(
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, not '
            '"system" as the first message\'s role.'
        )
    if turns[0].role != "user":
        raise Refused('messages: first message must use the "user" role')
    last = turns[-1]
    for turn in turns:
        _check_turn(turn, last=turn is last)
    if last.role == "assistant" and last.blocks and last.blocks[-1]["type"] == "text":
        said = last.blocks[-1]["text"]
        if said != said.rstrip():
            raise Refused("messages: final assistant content cannot end with trailing whitespace")


def _check_turn(turn: Turn, *, last: bool) -> None:
    if not turn.blocks and not (last and turn.role == "assistant"):
        raise Refused(
            f"messages.{turn.index}: all messages must have non-empty content except for the optional "
            "final assistant message"
        )
    for _, block in turn.of_type("text"):
        if not block["text"]:
            raise Refused("messages: text content blocks must be non-empty")
    for place, block in turn.of_type(*_NOT_SAID_BY[turn.role]):
        where = f"messages.{turn.index}.content.{place}"
        raise Refused(f"{where}: `{block['type']}` blocks are not permitted in `{turn.role}` messages")


def _merged(turns: Sequence[Turn]) -> list[list[tuple[str, str, Value]]]:
    """Blocks of turns, each with role and address; neighbours of one role are one turn, as Anthropic has it."""
    merged: list[list[tuple[str, str, Value]]] = []
    for turn in turns:
        found = [
            (
                "assistant" if turn.role == "assistant" else "user",
                f"messages.{turn.index}.content.{place}",
                block,
            )
            for place, block in enumerate(turn.blocks)
        ]
        if merged and found and merged[-1] and merged[-1][0][0] == found[0][0]:
            merged[-1] += found
        else:
            merged.append(found)
    return merged


def _check_results(turns: Sequence[Turn]) -> None:
    """Each `tool_use` is answered first thing in the next turn, and nothing else is."""
    pending: list[str] = []
    asked_at = ""
    for blocks in _merged(turns):
        seen: set[str] = set()
        open_ids = list(pending)
        leading = True
        for _, where, block in blocks:
            kind = block["type"]
            if kind == "tool_result":
                _take(block, where, open_ids, pending, leading=leading)
            elif kind == "tool_use":
                if block["id"] in seen:
                    raise Refused(f"{where}: `tool_use` ids must be unique")
                seen.add(block["id"])
            leading = leading and kind == "tool_result"
        if open_ids:
            raise Refused(
                f"{asked_at}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(open_ids)}. Each `tool_use` block must have a corresponding `tool_result` block "
                "in the next message."
            )
        pending = [block["id"] for _, _, block in blocks if block["type"] == "tool_use"]
        asked_at = blocks[0][1].partition(".content")[0] if blocks else ""
    if pending:
        raise Refused(
            f"{asked_at}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(pending)}. Each `tool_use` block must have a corresponding `tool_result` block "
            "in the next message."
        )


def _take(block: Value, where: str, open_ids: list[str], asked: list[str], *, leading: bool) -> None:
    wanted = block["tool_use_id"]
    if wanted not in asked:
        raise Refused(
            f"{where}: unexpected `tool_use_id` found in `tool_result` blocks: {wanted}. Each `tool_result` "
            "block must have a corresponding `tool_use` block in the previous message."
        )
    if wanted not in open_ids:
        raise Refused(f"{where}: each tool_use must have a single result. Found multiple for id: {wanted}")
    # A result behind a text does not count as one: the turn must begin with its results.
    if leading:
        open_ids.remove(wanted)


def _check_thoughts(turns: Sequence[Turn]) -> None:
    """Signed blocks came back as they left."""
    for turn in turns:
        for place, block in turn.of_type(*_THOUGHTS):
            where = f"messages.{turn.index}.content.{place}"
            if block["type"] == "thinking":
                if not is_signed(block["signature"], SIGNED, block["thinking"]):
                    raise Refused(f"{where}: Invalid `signature` in `thinking` block")
            elif not is_signed(block["data"], SIGNED, None):
                raise Refused(f"{where}: Invalid `data` in `redacted_thinking` block")
        if turn.role == "assistant" and turn.blocks and turn.blocks[-1]["type"] in _THOUGHTS:
            raise Refused(
                f"messages.{turn.index}: The final block in an assistant message cannot be `thinking`."
            )


def _check_tools(ask: Value) -> None:
    tools = listed(ask, "tools")
    names = [str(tool.get("name")) for tool in tools]
    if len(set(names)) != len(names):
        raise Refused("tools: Tool names must be unique.")
    choice = within(ask, "tool_choice")
    if not choice:
        return
    if not tools:
        raise Refused("tool_choice: may only be specified while providing `tools`.")
    if choice["type"] == "tool" and choice["name"] not in names:
        raise Refused(f"Tool '{choice['name']}' not found in provided tools")


def _check_thinking(ask: Value, turns: Sequence[Turn]) -> None:
    """What thinking with a budget excludes; adaptive thinking excludes nothing of it."""
    thinking = within(ask, "thinking")
    if thinking.get("type") != "enabled":
        return
    if "max_tokens" in ask and ask["max_tokens"] <= thinking["budget_tokens"]:
        raise Refused(f"`max_tokens` must be greater than `thinking.budget_tokens`. {_DOCS}")
    if ask.get("temperature", 1) != 1:
        raise Refused(f"`temperature` may only be set to 1 when thinking is enabled. {_DOCS}")
    if "top_k" in ask:
        raise Refused(f"`top_k` must be unset when thinking is enabled. {_DOCS}")
    if ask.get("top_p", 1) < 0.95:
        raise Refused(
            f"`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled. {_DOCS}"
        )
    if within(ask, "tool_choice").get("type") in {"any", "tool"}:
        raise Refused("Thinking may not be enabled when tool_choice forces tool use.")
    _check_thought_first(turns)


def _check_thought_first(turns: Sequence[Turn]) -> None:
    """While tools are being called, the turn that calls must begin with what was thought."""
    if turns[-1].role != "user" or not any(turns[-1].of_type("tool_result")):
        return
    said = [turn for turn in turns if turn.role == "assistant"]
    first = said[-1].blocks[0]["type"]
    if first not in _THOUGHTS:
        raise Refused(
            f"messages.{said[-1].index}.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
            f"`{first}`. When `thinking` is enabled, a final `assistant` message must start with a thinking "
            "block (preceding the lastmost set of `tool_use` and `tool_result` blocks)."
        )


def _check_caching(ask: Value) -> None:
    found = _cached(ask.get("messages")) + _cached(ask.get("system")) + _cached(ask.get("tools"))
    if found > _MOST_CACHED:
        raise Refused(f"A maximum of 4 blocks with cache_control may be provided. Found {found}.")


def _cached(value: Any) -> int:
    if isinstance(value, list):
        return sum(_cached(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        # A tool's input or a schema may have a field of this name; it is not a mark.
        inner = _cached(value.get("content"))  # pyright: ignore[reportUnknownMemberType]
        return inner + (value.get("cache_control") is not None)  # pyright: ignore[reportUnknownMemberType]
    return 0
