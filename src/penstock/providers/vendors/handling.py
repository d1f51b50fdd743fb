"""What vendors' own pages say of data, and the parameters that change it; the rest is not known.

A row holds for the vendor's own addresses, under its standard terms. A date is the day on which the page was
read. Where a page says "up to", with exceptions for abuse or law, the usual time stands here, as
docs/provider-policy.md says; who cannot live with the exceptions has a contract, and writes down what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from penstock.core.requirements import Facts, Lever, Provenance, Rule

_READ = "2026-11-21"


def _page(url: str) -> Provenance:
    return Provenance("documentation", _READ, url)


_OPENAI = _page("https://developers.openai.com/api/docs/guides/your-data")
_CLAUDE_KEEPS = _page("https://privacy.anthropic.com/en/articles/7996866-how-long-do-you-store-personal-data")
_CLAUDE_TRAINS = _page("https://platform.claude.com/docs/en/manage-claude/api-and-data-retention")
_CLAUDE_GEO = _page("https://platform.claude.com/docs/en/manage-claude/data-residency")
_GEMINI_KEEPS = _page("https://ai.google.dev/gemini-api/docs/usage-policies")
_GEMINI_PAID = _page("https://ai.google.dev/gemini-api/docs/zdr")
_VERTEX = _page("https://docs.cloud.google.com/gemini-enterprise-agent-platform/resources/zero-data-retention")
_GROQ = _page("https://console.groq.com/docs/your-data")
_FIREWORKS = _page("https://docs.fireworks.ai/guides/security_compliance/data_handling")
_OPENROUTER = _page("https://openrouter.ai/docs/guides/privacy/zdr")
_OPENROUTER_DENY = _page("https://openrouter.ai/docs/agent-sdk/typescript/models/providerpreferences")


@dataclass(frozen=True, slots=True)
class Documented:
    """One row: what is so at these endpoints (all where empty), for accounts of a tier (any where empty)."""

    kinds: tuple[str, ...]
    provenance: Provenance
    endpoints: tuple[str, ...] = ()
    retention_days: int | None = None
    trains_on_data: bool | None = None
    tier: str = ""

    def facts(self) -> Facts:
        """The row as facts."""
        said = {
            rule: self.provenance
            for rule in ("retention_days", "trains_on_data")
            if getattr(self, rule) is not None
        }
        return Facts(retention_days=self.retention_days, trains_on_data=self.trains_on_data, said=said)


DOCUMENTED: tuple[Documented, ...] = (
    Documented(("openai",), _OPENAI, trains_on_data=False),
    # Logs against abuse. Chats and responses may be stored besides: see the parameter below.
    Documented(("openai",), _OPENAI, ("embeddings", "moderations"), retention_days=30),
    Documented(("anthropic",), _CLAUDE_TRAINS, trains_on_data=False),
    Documented(("anthropic",), _CLAUDE_KEEPS, ("chat",), retention_days=30),
    Documented(("google",), _GEMINI_KEEPS, ("chat",), retention_days=55),
    Documented(("google",), _GEMINI_PAID, trains_on_data=False, tier="paid"),
    Documented(("vertex", "vertex-anthropic"), _VERTEX, trains_on_data=False),
    # Nothing by default; up to 30 days where needed for reliability, unless the account has turned that off.
    Documented(("groq",), _GROQ, ("chat", "audio"), retention_days=30),
    Documented(("fireworks",), _FIREWORKS, ("chat",), retention_days=0),
)

_NO_STORE = MappingProxyType({"store": b"false"})
# Released before Claude Opus 4.6, from which on the parameter is known; older ones answer 400.
_BEFORE_GEO = (
    "claude-2*", "claude-instant*", "claude-3*", "claude-opus-4-0*", "claude-opus-4-1*", "claude-opus-4-2*",
    "claude-opus-4-5*", "claude-sonnet-4-0*", "claude-sonnet-4-2*", "claude-sonnet-4-5*", "claude-haiku-4-5*",
)  # fmt: skip

LEVERS: dict[str, tuple[Lever, ...]] = {
    # A stored answer is kept for at least 30 days; without it there are the logs against abuse.
    "openai": (Lever("retention_days", 30, ("chat", "responses"), _NO_STORE, _OPENAI, forced_below=31),),
    # Says where models run, not where data rests: a region, no residency. Costs a tenth more.
    "anthropic": (
        Lever(
            "region",
            "us",
            ("chat",),
            MappingProxyType({"inference_geo": b'"us"'}),
            _CLAUDE_GEO,
            without=_BEFORE_GEO,
            factor=1_100_000,
        ),
    ),
    "fireworks": (Lever("retention_days", 0, ("responses",), _NO_STORE, _FIREWORKS, forced_below=30),),
    # Its plugins search the web at third parties, whom this does not bind: they are turned off with it.
    "openrouter": (
        Lever(
            "retention_days",
            0,
            ("chat",),
            MappingProxyType({"provider": b'{"zdr":true}', "plugins": b"[]"}),
            _OPENROUTER,
            without=("*:online",),
        ),
        Lever(
            rule="trains_on_data",
            value=False,
            endpoints=("chat",),
            settings=MappingProxyType({"provider": b'{"data_collection":"deny"}'}),
            provenance=_OPENROUTER_DENY,
        ),
    ),
}

# Models for which facts of the account do not hold: AWS may run a cross-region inference profile elsewhere, and
# Fireworks hands some routers' requests to other vendors.
_ELSEWHERE: tuple[tuple[str, tuple[Rule, ...]], ...] = (
    ("global.*", ("region", "residency")),
    *((f"{area}.*", ("region",)) for area in ("us", "us-gov", "eu", "apac", "jp", "au", "ca")),
)
VAGUE: dict[str, tuple[tuple[str, tuple[Rule, ...]], ...]] = {
    "bedrock": _ELSEWHERE,
    "bedrock-fips": _ELSEWHERE,
    "bedrock-anthropic": _ELSEWHERE,
    "fireworks": (("*firerouter*", ("retention_days", "trains_on_data")),),
}
