"""Which rows of profiles hold for a vendor's models."""

from __future__ import annotations

from dataclasses import replace

from penstock.core.profile import Profile, ProfileRow
from penstock.providers.anthropic import profile as anthropic
from penstock.providers.cohere import profile as cohere
from penstock.providers.converse import profile as converse
from penstock.providers.gemini import profile as gemini
from penstock.providers.mistral import profile as mistral
from penstock.providers.ollama import profile as ollama
from penstock.providers.openai_chat import profile as openai_chat
from penstock.providers.openai_responses import profile as openai_responses
from penstock.providers.vendors.row import Vendor

Rows = tuple[ProfileRow, ...]
_APIS: dict[str, tuple[Rows, Profile]] = {
    "anthropic": (anthropic.ROWS, anthropic.DEFAULT),
    "vertex.anthropic": (anthropic.ROWS, anthropic.DEFAULT),
    "bedrock.anthropic": (anthropic.ROWS, anthropic.DEFAULT),
    "converse": (converse.ROWS, converse.DEFAULT),
    "ollama": (ollama.ROWS, ollama.DEFAULT),
    "cohere": (cohere.ROWS, cohere.DEFAULT),
    "gemini": (gemini.ROWS, gemini.DEFAULT),
    "mistral": (mistral.ROWS, mistral.DEFAULT),
    "openai.chat": (openai_chat.ROWS, openai_chat.DEFAULT),
    "openai.responses": (openai_responses.ROWS, openai_responses.DEFAULT),
}
# APIs that have no way to ask for several answers; such a request is sent several times (upstream/fan_out.py).
_ONE_ANSWER = frozenset(
    {"anthropic", "vertex.anthropic", "bedrock.anthropic", "converse", "cohere", "ollama", "openai.responses"}
)
# Who serves OpenAI's own models under names that its rows know. Elsewhere such a name is another maker's model.
_OPENAI_MODELS = frozenset(
    {"openai", "simulator", "azure", "azure-deployments", "azure-government", "azure-foundry", "github"}
)


def profiles_of(vendor: Vendor, *, elsewhere: bool = False) -> tuple[Rows, Profile]:
    """The rows by model name, and the profile of a model that no row names.

    `elsewhere`: the kind stands for another server than the vendor's own.
    """
    rows, default = _APIS.get(vendor.api, ((), Profile()))
    if vendor.api == "openai.chat":
        if vendor.kind not in _OPENAI_MODELS:
            rows = tuple(
                [
                    ProfileRow(row.models, _named(row.profile, vendor))
                    for row in openai_chat.FAMILIES.get(vendor.kind, ())
                ]
            )
        elif "openai.responses" in vendor.speaks and not elsewhere:
            rows = (*[_by_responses(row, vendor) for row in openai_responses.ALONE], *rows)
        if vendor.kind != "openai":  # which is any server, too
            default = openai_chat.VENDORS.get(vendor.kind, default)
            default = _named(default, vendor)
    if vendor.api in _ONE_ANSWER:
        rows = tuple([ProfileRow(row.models, _one_answer(row.profile)) for row in rows])
        default = _one_answer(default)
    return rows, default


def _named(profile: Profile, vendor: Vendor) -> Profile:
    """The profile with what the vendor's row says of all its models."""
    return replace(profile, cap_field=vendor.cap_field, stream_usage=vendor.stream_usage)


def _by_responses(row: ProfileRow, vendor: Vendor) -> ProfileRow:
    """The row for a vendor of chat, whose other API takes these models; it gives one answer at a time."""
    profile = replace(_one_answer(row.profile), api="openai.responses", cap_field=vendor.cap_field)
    return ProfileRow(row.models, profile)


def _one_answer(profile: Profile) -> Profile:
    return replace(profile, lacks=profile.lacks | {"choices"})
