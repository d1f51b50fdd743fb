"""The Converse API, what comes in: refuses what Bedrock would refuse, with messages of that kind.

Bedrock itself passes over fields that it does not know; here they are refused, because they are mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from penstock.simulator.converse_fields import CONVERSE
from penstock.simulator.reply import Refused
from penstock.simulator.signature import is_signed
from penstock.simulator.strict import Invalid, Value, listed, within

# Bedrock hands the thoughts of Claude on: what one API signed, the other one takes.
SIGNED = "claude"
_MODEL = "The model returned the following errors:"
_DOCUMENT_NAME = re.compile(r"(?!.*\s\s)[A-Za-z0-9\s\-()\[\]]{1,200}")


def read(body: bytes) -> Value:
    """The request's fields. Raises Refused."""
    try:
        ask = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise Refused(f"The request body is not valid JSON: {error}") from None
    try:
        CONVERSE(ask, ())
    except Invalid as invalid:
        raise Refused(_worded(invalid)) from None
    messages = listed(ask, "messages")
    _check_messages(messages)
    _check_blocks(ask, messages)
    _check_results(messages)
    _check_thoughts(messages)
    _check_tools(ask, messages)
    _check_thinking(ask, messages)
    return ask


def _worded(invalid: Invalid) -> str:
    start = "1 validation error detected:"
    # Items of lists are counted from 1 here.
    where = ".".join(f"{step + 1}.member" if isinstance(step, int) else step for step in invalid.path)
    if invalid.fault == "unknown":
        return f"{start} Unknown member at '{where}'"
    if invalid.fault == "missing":
        return f"{start} Value at '{where}' failed to satisfy constraint: Member must not be null"
    if invalid.fault == "type":
        return f"{start} Value at '{where}' failed to satisfy constraint: Member must be a {invalid.detail}"
    detail = invalid.detail
    if detail.startswith("a string that matches pattern"):
        detail = f"satisfy regular expression pattern: {detail.rpartition(' pattern ')[2]}"
    elif detail.startswith("'"):
        detail = f"satisfy enum value set: [{detail}]"
    elif not detail.startswith("satisfy"):
        detail = f"be {detail}"
    return f"{start} Value at '{where}' failed to satisfy constraint: Member must {detail}"


def blocks_of(message: Value, kind: str) -> list[Any]:
    """The contents of a message's blocks of one kind."""
    return [block[kind] for block in message["content"] if kind in block]


def _check_messages(messages: Sequence[Value]) -> None:
    if not messages or messages[0]["role"] != "user":
        raise Refused(
            "A conversation must start with a user message. Try again with a conversation that starts with a "
            "user message."
        )
    for index, message in enumerate(messages):
        if index and messages[index - 1]["role"] == message["role"]:
            raise Refused(
                "A conversation must alternate between user and assistant roles. Make sure the conversation "
                "alternates between user and assistant roles and try again."
            )
        if not message["content"]:
            raise Refused(
                f"The content field in the Message object at messages.{index} is empty. Add a ContentBlock "
                "object to the content field and try again."
            )
        theirs = (
            ("toolUse", "reasoningContent")
            if message["role"] == "user"
            else ("toolResult", "image", "document")
        )
        for kind in theirs:
            if blocks_of(message, kind):
                raise Refused(
                    f"The role {message['role']} at messages.{index} doesn't support the {kind} content block."
                )
    last = messages[-1]
    if last["role"] == "assistant":
        texts = blocks_of(last, "text")
        if texts and texts[-1] != texts[-1].rstrip():
            raise Refused(f"{_MODEL} messages: final assistant content cannot end with trailing whitespace")


def _check_blocks(ask: Value, messages: Sequence[Value]) -> None:
    for index, block in enumerate(listed(ask, "system")):
        if "text" in block and not block["text"].strip():
            raise Refused(f"The text field in the SystemContentBlock object at system.{index} is blank.")
    for index, message in enumerate(messages):
        for place, block in enumerate(message["content"]):
            where = f"messages.{index}.content.{place}"
            # White space is taken beside other blocks.
            if "text" in block and not (block["text"].strip() or (block["text"] and message["content"][1:])):
                raise Refused(
                    f"The text field in the ContentBlock object at {where} is blank. Add text to the text "
                    "field, and try again."
                )
            if "document" in block and not _DOCUMENT_NAME.fullmatch(block["document"]["name"]):
                raise Refused(
                    "The document file name can only contain alphanumeric characters, whitespace characters, "
                    "hyphens, parentheses, and square brackets. The name can't contain more than one "
                    "consecutive whitespace character."
                )
            if "toolUse" in block and not isinstance(block["toolUse"]["input"], dict):
                raise Refused(
                    f"The format of the value at {where}.toolUse.input is invalid. Provide a json object for "
                    "the field and try again."
                )
            result = block.get("toolResult")
            if result is not None and result.get("status") == "error" and not result["content"]:
                raise Refused(
                    f"The content field at {where}.toolResult cannot be empty when status value is error."
                )
            if result is not None:
                _check_result(result, where)


def _check_result(result: Value, where: str) -> None:
    for place, part in enumerate(result["content"]):
        if "json" in part and not isinstance(part["json"], dict):
            raise Refused(
                f"The format of the value at {where}.toolResult.content.{place}.json is invalid. Provide a "
                "json object for the field and try again."
            )


def _check_results(messages: Sequence[Value]) -> None:
    """Each toolUse is answered in the next message, and nothing else is."""
    pending: list[str] = []
    for index, message in enumerate(messages):
        where = f"messages.{index}.content"
        found = [result["toolUseId"] for result in blocks_of(message, "toolResult")]
        missing = [wanted for wanted in pending if wanted not in found]
        if missing:
            raise Refused(f"Expected toolResult blocks at {where} for the following Ids: {', '.join(missing)}")
        if len(found) > len(pending):
            raise Refused(
                f"The number of toolResult blocks at {where} exceeds the number of toolUse blocks of "
                "previous turn."
            )
        pending = [use["toolUseId"] for use in blocks_of(message, "toolUse")]
        if len(set(pending)) != len(pending):
            raise Refused(f"The toolUse blocks at {where} contain duplicate Ids: {', '.join(pending)}")
    if pending:
        where = f"messages.{len(messages)}.content"
        raise Refused(f"Expected toolResult blocks at {where} for the following Ids: {', '.join(pending)}")


def _check_thoughts(messages: Sequence[Value]) -> None:
    """Signed blocks came back as they left."""
    for index, message in enumerate(messages):
        for place, block in enumerate(message["content"]):
            thought: Any = block.get("reasoningContent")
            where = f"messages.{index}.content.{place}"
            if thought is None:
                continue
            if "redactedContent" in thought:
                if not is_signed(thought["redactedContent"], SIGNED, None):
                    raise Refused(f"{_MODEL} {where}: Invalid `data` in `redacted_thinking` block")
            elif not is_signed(
                thought["reasoningText"].get("signature"), SIGNED, thought["reasoningText"]["text"]
            ):
                raise Refused(f"{_MODEL} {where}: Invalid `signature` in `thinking` block")


def _check_tools(ask: Value, messages: Sequence[Value]) -> None:
    config = within(ask, "toolConfig")
    if not config:
        if any(blocks_of(message, kind) for message in messages for kind in ("toolUse", "toolResult")):
            raise Refused(
                "The toolConfig field must be defined when using toolUse and toolResult content blocks."
            )
        return
    if not config["tools"]:
        raise Refused(
            "1 validation error detected: Value at 'toolConfig.tools' failed to satisfy constraint: Member "
            "must have length greater than or equal to 1"
        )
    names = [tool["toolSpec"]["name"] for tool in config["tools"] if "toolSpec" in tool]
    if len(set(names)) != len(names):
        raise Refused("The tool names in toolConfig.tools must be unique.")
    wanted = within(config, "toolChoice", "tool")
    if wanted and wanted["name"] not in names:
        raise Refused(f"{_MODEL} Tool '{wanted['name']}' not found in provided tools")


def thinking_of(ask: Value) -> Value:
    """How the request configures thinking, in either of the names that models know."""
    more = within(ask, "additionalModelRequestFields")
    return within(more, "thinking") or within(more, "reasoning_config")


def _check_thinking(ask: Value, messages: Sequence[Value]) -> None:
    thinking = thinking_of(ask)
    if thinking.get("type") != "enabled":
        return
    config = within(ask, "inferenceConfig")
    budget = thinking.get("budget_tokens")
    if not isinstance(budget, int) or budget < 1024:
        raise Refused(f"{_MODEL} thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    if config.get("maxTokens", budget + 1) <= budget:
        raise Refused(f"{_MODEL} `max_tokens` must be greater than `thinking.budget_tokens`.")
    if config.get("temperature", 1) != 1:
        raise Refused(f"{_MODEL} `temperature` may only be set to 1 when thinking is enabled.")
    choice = within(ask, "toolConfig", "toolChoice")
    if "any" in choice or "tool" in choice:
        raise Refused(f"{_MODEL} Thinking may not be enabled when tool_choice forces tool use.")
    if blocks_of(messages[-1], "toolResult"):
        place = len(messages) - 2
        if "reasoningContent" not in messages[place]["content"][0]:
            raise Refused(
                f"{_MODEL} messages.{place}.content.0.type: Expected `thinking` or `redacted_thinking`. When "
                "`thinking` is enabled, a final `assistant` message must start with a thinking block."
            )
