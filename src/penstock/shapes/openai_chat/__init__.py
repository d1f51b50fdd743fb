"""OpenAI's chat completions and what its many compatible vendors add to them.

Reference: https://platform.openai.com/docs/api-reference/chat. Keys that begin with `~` in extras are ours:
they remember in which of several equal forms something was written (a text as a string or as a list, …).
"""

from __future__ import annotations

SHAPE = "openai.chat"
