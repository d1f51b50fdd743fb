"""Thinking in a message: `reasoning_content`, `reasoning`, and OpenRouter's `reasoning_details`.

Vendors that show thinking do it in `reasoning_content` (DeepSeek, xAI, Z.ai, Qwen, vLLM) or `reasoning`
(Groq, Cerebras, Ollama, newer vLLM). OpenRouter, Vercel and Snowflake add a list of typed details with the
seals of the models' vendors: https://openrouter.ai/docs/use-cases/reasoning-tokens.
"""

from __future__ import annotations

from typing import Any, cast

from penstock.core.parts import Signature, Thinking
from penstock.shapes.openai_chat.forms import inserted
from penstock.shapes.taker import Taker, extras_of

TEXT_FIELDS = ("reasoning_content", "reasoning")
DETAILS = "reasoning_details"
# Which member of a detail holds its text.
TEXT_OF = {"reasoning.text": "text", "reasoning.summary": "summary"}
_SIGNERS = {
    "anthropic-claude-v1": "anthropic",
    "google-gemini-v1": "gemini",
    "openai-responses-v1": "openai.responses",
    "xai-responses-v1": "xai",
}
_FORMATS = {signer: name for name, signer in _SIGNERS.items()}


def signer_of(detail: dict[str, Any], shape: str) -> str:
    """Who can read the seals of a detail."""
    kind = detail.get("format")
    return _SIGNERS.get(kind, shape) if isinstance(kind, str) else shape


def read_thinking(t: Taker, shape: str) -> tuple[Thinking, ...]:
    """Take the thinking out of a message; the names of the members that repeat its text are remembered."""
    parts = _read_details(t, shape)
    names = [name for name in TEXT_FIELDS if isinstance(t.rest.get(name), str) and t.rest[name]]
    if not names:
        return parts
    text = "".join([part.text for part in parts]) if parts else t.rest[names[0]]
    same = [name for name in names if t.rest[name] == text]
    for name in same:
        del t.rest[name]
    if same:
        t.rest["~thinking"] = same
    return parts or (Thinking(text),)


def _read_details(t: Taker, shape: str) -> tuple[Thinking, ...]:
    items: Any = t.rest.get(DETAILS)
    if not isinstance(items, list) or not items:
        return ()
    parts: list[Thinking] = []
    unread: list[list[Any]] = []
    for at, item in enumerate(cast("list[Any]", items)):
        part = _read_detail(item, shape)
        if part is None:
            unread.append([at, item])
        else:
            parts.append(part)
    if parts:
        del t.rest[DETAILS]
        t.rest["~details"] = unread
    return tuple(parts)


def _read_detail(item: Any, shape: str) -> Thinking | None:
    if not isinstance(item, dict):
        return None
    t = Taker(cast("dict[str, Any]", item))
    kind = t.rest.get("type")
    if not isinstance(kind, str) or (kind not in TEXT_OF and kind != "reasoning.encrypted"):
        return None
    signer = signer_of(t.rest, shape)
    text = t.text(TEXT_OF[kind]) if kind in TEXT_OF and t.rest.get(TEXT_OF[kind]) else None
    seal = t.text("signature") if t.rest.get("signature") else None
    data = t.text("data") if kind not in TEXT_OF and t.rest.get("data") else None
    return Thinking(
        text or "",
        Signature(signer, seal) if seal is not None else None,
        Signature(signer, data) if data is not None else None,
        (t.text("id") if t.rest.get("id") else None) or "",
        extras=t.extras(shape),
    )


def write_thinking(parts: list[Thinking], out: dict[str, Any], shape: str, field: str) -> None:
    """Put thinking into a message; `field` is for thinking that no member of the message is remembered for."""
    names: list[str] = out.pop("~thinking", [])
    unread: list[list[Any]] | None = out.pop("~details", None)
    if unread is not None or (parts and not names and field == DETAILS):
        details = [write_detail(part, at, shape) for at, part in enumerate(parts)]
        out[DETAILS] = inserted(details, unread or [])
    elif parts and not names and field:
        names = [field]
    text = "".join([part.text for part in parts])
    if text or field not in names:
        out.update(dict.fromkeys(names, text))


def write_detail(part: Thinking, at: int, shape: str) -> dict[str, Any]:
    """One item of `reasoning_details`."""
    out = extras_of(part.extras, shape)
    if not out:
        seal = part.sealed or part.signature
        kind = "reasoning.encrypted" if part.sealed is not None and not part.text else "reasoning.text"
        out["type"] = kind
        out["format"] = _FORMATS.get(seal.signer, "unknown") if seal is not None else "unknown"
        out["index"] = at
    if part.text:
        out[TEXT_OF.get(out["type"], "text")] = part.text
    if part.signature is not None:
        out["signature"] = part.signature.value
    if part.sealed is not None:
        out["data"] = part.sealed.value
    if part.id:
        out["id"] = part.id
    return out
