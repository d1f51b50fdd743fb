"""What models behind legacy completions accept."""

from __future__ import annotations

from penstock.core.profile import Profile

# https://platform.openai.com/docs/api-reference/completions/create
DEFAULT = Profile(lacks=frozenset({"top_k", "tools", "reasoning"}), schema="none", max_stop=4)
