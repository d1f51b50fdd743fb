"""What vendors answer, written by hand from their documentation, by the API that they serve."""

from __future__ import annotations

from penstock.providers.vendors import Vendor
from tests.providers.forms import amazon, anthropic, cohere, gemini, ollama, openai_chat
from tests.providers.forms.form import Form

_BY_API = {
    "anthropic": anthropic.FORM,
    "vertex.anthropic": anthropic.ON_VERTEX,
    "bedrock.anthropic": amazon.INVOKE,
    "converse": amazon.CONVERSE,
    "gemini": gemini.FORM,
    "cohere": cohere.FORM,
    "mistral": openai_chat.MISTRAL,
    "ollama": ollama.FORM,
}


def form_of(vendor: Vendor) -> Form:
    """How this vendor is asked, and how it answers."""
    return openai_chat.form_of(vendor.kind) if vendor.api == "openai.chat" else _BY_API[vendor.api]
