"""Write docs/providers.md from the registry of vendors."""

from __future__ import annotations

import sys
from pathlib import Path

from penstock.config.document import Provider
from penstock.providers.profiles import profiles_of
from penstock.providers.vendors import VENDORS, Vendor

DOCS_FILE = Path(__file__).resolve().parent.parent / "docs" / "providers.md"

INTRO = """\
# Providers

<!-- Made from src/penstock/providers/vendors by scripts/generate_providers_doc.py. -->

Every client speaks to every provider: OpenAI's, Anthropic's, Google's and Bedrock's SDKs, each in its own
API. What a provider lacks is mapped, dropped with a warning in `x-penstock-warning`, or refused, as
`defaults.on_unsupported` says. `kind` is the name in the [configuration](configuration.md):

```yaml
providers:
  groq:    {kind: groq, api_key: "${GROQ_API_KEY}"}
  azure:   {kind: azure, account: my-resource, api_key: "${AZURE_OPENAI_API_KEY}"}
  claude:  {kind: bedrock-anthropic, region: eu-central-1, api_key: "${AWS_BEARER_TOKEN_BEDROCK}"}
  inhouse: {kind: vllm, base_url: "http://127.0.0.1:8000/v1"}
```

A vendor that is missing and speaks OpenAI's API works as `kind: openai` with its `base_url`;
[adding it](adding-a-provider.md) is one row.

## What each serves

*native*: a client of the same API gets through with its bytes, and only the fields that the gateway owns
are changed. *translated*: the request is put into the vendor's words, and the answer into the client's.
*estimated*: the vendor does not count tokens; the gateway does, and says so, and it does so for clients of
another API than the vendor's, too. A dash: the vendor has no such endpoint, or Penstock knows of none; such
a request is a 400 that says so. Clients of Anthropic's Messages (the column *messages*), Gemini and Converse
are translated wherever there is chat. Into which API, is the vendor's row's affair, or the model's: OpenAI's
from GPT-5.4 on, codex and pro are asked by responses, at OpenAI's address and at Azure's v1 API
([why](adr/0030-models-choose-their-api.md)).

"""

SOURCES = """
## Evidence, keys and addresses

*recorded*: the translator is checked against recorded answers of the vendor. *run*: the tests run against
the server itself. *documented*: the tests' answers are written from the page in the column *source*, looked
up on the day beside it. *secondary*: the address is known from programs that use it, and no page of the
vendor was seen that has it; try it first. In brackets stand the features that recordings or runs have shown;
the others are documented. All of them have the same tests, in `tests/providers`: chat, stream, tools, errors,
usage, and a wrong key; vendors of media have theirs in `tests/media`: an answer, its usage, errors, a full
house, and a wrong key.

*found*: its variable alone makes it a provider of a gateway that has no configuration file.

"""

COLUMNS = (
    "chat", "stream", "tools", "messages", "responses", "completions", "embeddings", "rerank", "images",
    "audio", "count_tokens",
)  # fmt: skip
_AUTH = {
    "bearer": "`Authorization: Bearer`",
    "aws": "AWS signature, or an API key",
    "google": "Google token",
    "token": "`Authorization: Token`",
    "key": "`Authorization: Key`",
    "none": "none",
}
_NONE = "–"  # noqa: RUF001 - a dash in a table


def _chat(row: Vendor, *shapes: str) -> str:
    if row.speaks.intersection(shapes):
        return "native"
    return "translated" if row.api else _NONE


def _vectors(row: Vendor, shape: str, api: str) -> str:
    if shape in row.speaks:
        return "native"
    return "translated" if api else _NONE


def _media(row: Vendor, name: str) -> str:
    if name not in row.media:
        return _NONE
    return "native" if "openai" in row.speaks else "translated"


def _count(row: Vendor) -> str:
    if row.speaks & {"anthropic.count", "gemini.count", "converse.count"}:
        return "native"
    return "estimated" if row.api else _NONE


def _tools(row: Vendor) -> str:
    rows, default = profiles_of(row)
    return _NONE if not rows and "tools" in default.lacks else _chat(row, "openai.chat")


def _serves(row: Vendor) -> tuple[str, ...]:
    chat = _chat(row, "openai.chat")
    return (
        chat,
        chat,
        _tools(row),
        _chat(row, "anthropic"),
        _chat(row, "openai.responses"),
        _chat(row, "openai.completions"),
        _vectors(row, "openai.embeddings", row.embed_api),
        _vectors(row, "rerank", row.rerank_api),
        _media(row, "images"),
        _media(row, "audio"),
        _count(row),
    )


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _needs(row: Vendor) -> str:
    parts = Provider(kind=row.kind).address_parts  # pyright: ignore[reportArgumentType]
    if not row.base_url and row.kind != "simulator":
        parts = ("base_url",)
    return ", ".join([f"`{part}`" for part in parts]) or _NONE


def _source(row: Vendor) -> str:
    if row.source.startswith("docs/"):
        return f"[{row.source}]({row.source.removeprefix('docs/')})"
    return f"<{row.source}>"


def _evidence(row: Vendor) -> str:
    return f"{row.evidence} ({', '.join(row.seen)})" if row.seen else row.evidence


def _key(row: Vendor) -> str:
    if not row.variable:
        return _NONE
    return f"`{row.variable}`" + (", found" if row.found_by_key or row.kind == "openai" else "")


def providers_text() -> str:
    """The whole document, in the order of the registry."""
    out = [INTRO, _line("kind", "provider", *COLUMNS), _line(*["---"] * (2 + len(COLUMNS)))]
    out += [_line(f"`{row.kind}`", row.title, *_serves(row)) for row in VENDORS.values()]
    heads = (
        "kind",
        "evidence",
        "credential",
        "key's variable",
        "needs",
        "address",
        "source",
        "looked up",
        "to know",
    )
    out += [SOURCES, _line(*heads), _line(*["---"] * len(heads))]
    for row in VENDORS.values():
        auth = _AUTH.get(row.auth, f"`{row.auth}`")
        address = f"`{row.base_url}`" if row.base_url else _NONE
        known = (_source(row), row.read, row.caveat or _NONE)
        out.append(_line(f"`{row.kind}`", _evidence(row), auth, _key(row), _needs(row), address, *known))
    return "".join(out)


def main() -> int:
    """Write the file."""
    DOCS_FILE.write_text(providers_text(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
