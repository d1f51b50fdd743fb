"""Another system prompt for one target: models differ, and one that steps in often needs words of its own."""

from __future__ import annotations

import msgspec


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
