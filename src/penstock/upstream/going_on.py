"""What a stream that has begun is gone on from, by whichever target comes next."""

from __future__ import annotations

from penstock.core.chat import ChatRequest
from penstock.core.splice import Heard, Splice, continued
from penstock.core.target import Target
from penstock.ports.translation import StreamEncoder
from penstock.upstream.client_framing import ClientFraming

# Whose models go on from an assistant's message that stands last, where their profile does not say otherwise.
_PREFILLED = frozenset({"anthropic", "bedrock.anthropic", "vertex.anthropic", "mistral"})


class GoingOn:
    """The client's stream as it stands: who writes it, what it has said, and what that took in tokens."""

    __slots__ = ("encoder", "framing", "heard", "spent_tokens")

    def __init__(self, encoder: StreamEncoder, framing: ClientFraming, heard: Heard, spent_tokens: int) -> None:
        self.encoder = encoder
        self.framing = framing
        self.heard = heard
        self.spent_tokens = spent_tokens

    def request(self, chat: ChatRequest, target: Target) -> ChatRequest:
        """The request as this target gets it."""
        prefill = prefills(chat, target)
        return continued(chat, self.heard, prefill=prefill, spent_tokens=self.spent_tokens)

    def splice(self, chat: ChatRequest, target: Target) -> Splice:
        """What joins this target's events to those before."""
        return Splice(self.heard, prefill=prefills(chat, target), spent_tokens=self.spent_tokens)


def prefills(chat: ChatRequest, target: Target) -> bool:
    """Whether the target goes on from a last message of the assistant, instead of answering it."""
    wish = chat.reasoning
    thinks = wish is not None and wish.effort != "none" and wish.enabled is not False
    if thinks and target.api != "mistral":
        return False  # Anthropic refuses both at once
    return target.api in _PREFILLED and "prefill" not in target.profile.lacks
