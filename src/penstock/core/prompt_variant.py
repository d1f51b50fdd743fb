"""Another system prompt for one target: models differ, and one that steps in often needs words of its own."""

from __future__ import annotations

import msgspec

from penstock.core.chat import ChatRequest, Message, Role
from penstock.core.parts import Text


class PromptVariant(msgspec.Struct, frozen=True):
    """What is put in place of the client's system prompt (None: nothing), before it and after it."""

    system: str | None = None
    prefix: str = ""
    suffix: str = ""

    @property
    def chars(self) -> int:
        """By how many characters it lengthens a request at most."""
        return len(self.system or "") + len(self.prefix) + len(self.suffix)

    def leads(self) -> list[str]:
        """The texts before the client's own, in order."""
        return [text for text in (self.prefix, self.system) if text]


def with_prompt(chat: ChatRequest, variant: PromptVariant) -> ChatRequest:
    """The chat with the target's own system prompt."""
    messages = chat.messages
    leading = 0
    while leading < len(messages) and messages[leading].role in {"system", "developer"}:
        leading += 1
    role: Role = messages[0].role if leading else "system"
    own = messages[:leading] if variant.system is None else ()
    before = tuple([Message(role, (Text(words),)) for words in variant.leads()])
    after = (Message(role, (Text(variant.suffix),)),) if variant.suffix else ()
    return msgspec.structs.replace(chat, messages=(*before, *own, *after, *messages[leading:]))
