"""What a scripted vendor answers, before it is put into anybody's words.

A tool is called when there is one, its result is repeated, a wished shape is filled, pictures are counted, and
thinking is signed. Usage is always the same, so that a test can compare it through every dialect.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

HELLO = "Hello there, big world."
THOUGHT = "They want a greeting."
SHAPED = '{"city": "Paris", "celsius": 21}'
CITY = {"city": "Paris"}
CALL_ID = "call_scripted_1"
# Input without what came from the cache, what did, and output.
FRESH, CACHED, OUTPUT = 11, 3, 7
COUNTED = 23
SEEN_SEAL = " My seal came back."


@dataclass(frozen=True)
class Heard:
    """What was understood of a request.

    Attributes:
        result: The text of the tool result that ends the conversation, None where it ends otherwise.
        sealed: Whether the seal of an earlier answer came back as it was given.
    """

    tool: str | None = None
    result: str | None = None
    shaped: bool = False
    thinking: bool = False
    pictures: int = 0
    sealed: bool = False


@dataclass(frozen=True)
class Said:
    """What is answered: text or a call, after a thought where one was wished."""

    text: str = ""
    call: str | None = None
    thought: str = ""

    @property
    def input(self) -> dict[str, Any]:
        """The call's arguments; a tool that stands for a wished shape gets that."""
        return CITY if self.call == "weather" else json.loads(SHAPED)

    @property
    def arguments(self) -> str:
        """The same as JSON."""
        return json.dumps(self.input)

    def pieces(self) -> list[str]:
        """The text as a stream brings it."""
        return [self.text[at : at + 6] for at in range(0, len(self.text), 6)]

    def argument_pieces(self) -> list[str]:
        """The arguments as a stream brings them; no piece is JSON by itself."""
        return [self.arguments[:4], self.arguments[4:]]


def answer(heard: Heard) -> Said:
    """What this vendor has to say."""
    thought = THOUGHT if heard.thinking else ""
    seal = SEEN_SEAL if heard.sealed else ""
    if heard.result is not None:
        return Said(text=f"The tool said: {heard.result}.{seal}", thought=thought)
    if heard.tool is not None:
        return Said(call=heard.tool, thought=thought)
    if heard.shaped:
        return Said(text=SHAPED, thought=thought)
    if heard.pictures:
        return Said(text=f"Pictures: {heard.pictures}.", thought=thought)
    return Said(text=HELLO + seal, thought=thought)


def holds(body: Any, text: str) -> bool:
    """Whether a string stands anywhere in a JSON value, whole."""
    return json.dumps(text) in json.dumps(body)


def member(body: Any, *names: str) -> Any:
    """What stands at a path of names, None where nothing does."""
    for name in names:
        body = body.get(name) if body is not None else None
    return body


def listed(value: Any) -> list[Any]:
    """A list as it is; nothing for anything else, such as content that is one string."""
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]


def text_of(content: Any) -> str:
    """The text of a content that is a string or a list of parts."""
    return content if isinstance(content, str) else "".join(str(part.get("text", "")) for part in content or ())
