"""The upstream request where client and target speak the same API: bytes as received, owned fields patched."""

from __future__ import annotations

import msgspec

from penstock.core.target import Target
from penstock.providers.prompting import prompt_edits
from penstock.shapes.openai_request import OpenAIRequest
from penstock.wire.json_fields import Fields, scan

_EMPTY = scan(b"{}")
_members = msgspec.json.Decoder(list[msgspec.Raw]).decode


def native_body(request: OpenAIRequest, target: Target, cap: int | None) -> bytes:
    """The body for this target. `cap`: the output bound that the reservation used, written into it."""
    fields = request.fields
    if fields is None:
        return b""
    edits: dict[str, bytes] = prompt_edits(request, target.prompt) if target.prompt is not None else {}
    edits.update(target.set_fields)
    if request.endpoint.dialect == "gemini":
        _name_models(fields, target, edits)
    elif "model" in fields.raw and fields.raw["model"] != target.model_json:
        edits["model"] = target.model_json
    if cap is not None and request.endpoint.cap_fields:
        _write_cap(request, fields, cap, edits)
    return fields.patch(edits) if edits else fields.body


def _name_models(fields: Fields, target: Target, edits: dict[str, bytes]) -> None:
    """Google's bodies say the model again, in every request of a batch too, and it must be the path's."""
    edits.update(_named(fields, target))
    for name in ("generateContentRequest", "generate_content_request"):
        if name in fields.raw:
            inside = scan(fields.raw[name])
            edits[name] = inside.patch(_named(inside, target))
    if "requests" in fields.raw:
        each = [scan(bytes(member)) for member in _members(fields.raw["requests"])]
        edits["requests"] = b"[%b]" % b",".join([one.patch(_named(one, target)) for one in each])


def _named(fields: Fields, target: Target) -> dict[str, bytes]:
    if "model" not in fields.raw:
        return {}
    lead = b'"models/' if fields.raw["model"].startswith(b'"models/') else b'"'
    return {"model": lead + target.model_json[1:].removeprefix(b"models/")}


def _write_cap(request: OpenAIRequest, fields: Fields, cap: int, edits: dict[str, bytes]) -> None:
    if request.cap is not None and request.cap <= cap:
        return
    text = b"%d" % cap
    path = request.endpoint.cap_path
    if not path:
        edits[request.endpoint.cap_fields[0]] = text
        return
    outer, inner = path
    outer = _spelling(fields, outer)
    given = edits.get(outer) or fields.raw.get(outer, b"null")
    inside = _EMPTY if given == b"null" else scan(given)
    edits[outer] = inside.patch({_spelling(inside, inner): text})


def _spelling(fields: Fields, name: str) -> str:
    """The key as the client wrote it: Google takes camel case and snake case."""
    snake = "".join([f"_{char.lower()}" if char.isupper() else char for char in name])
    return snake if snake in fields.raw else name
