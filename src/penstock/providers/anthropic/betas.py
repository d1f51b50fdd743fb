"""Beta features of the Messages API where a cloud takes them in the body.

Bedrock's `invoke` reads `anthropic_beta` and refuses the whole request ("invalid beta flag") for a name that
it does not know, and clients such as Claude Code name several that are Anthropic's own affair. So the features
that are known to be Bedrock's pass, whatever their date, and the others are dropped and said so.
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-thinking-block-binding.html
"""

from __future__ import annotations

import re

from penstock.core.losses import Losses

_BEDROCK = re.compile(
    r"(?:computer-use|token-efficient-tools|interleaved-thinking|output-128k|dev-full-thinking|context-1m"
    r"|context-management|effort|tool-search-tool|tool-examples|compact|fine-grained-tool-streaming"
    r"|thinking-binding-controls)-\d{4}-\d{2}-\d{2}"
)


def bedrock_betas(header: bytes, losses: Losses) -> list[str]:
    """The features of an `anthropic-beta` header that Bedrock takes. Raises UnsupportedError for the others."""
    named = [name.strip() for name in header.decode("latin-1").split(",")]
    taken = [name for name in dict.fromkeys(named) if _BEDROCK.fullmatch(name)]
    if len(taken) < len({name for name in named if name}):
        losses.drop("anthropic-beta")
    return taken
