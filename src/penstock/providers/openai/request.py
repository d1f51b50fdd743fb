"""The upstream request: the body with owned fields patched, our credential, an allow-list of headers."""

from __future__ import annotations

from typing import Final

from penstock.core.target import Target
from penstock.providers.prompting import prompt_edits
from penstock.shapes.openai_request import OpenAIRequest
from penstock.wire.json_fields import scan

# What of the client's headers an upstream may see.
_FORWARDED: Final = (
    b"openai-beta",
    b"anthropic-beta",
    b"idempotency-key",
    b"traceparent",
    b"tracestate",
)


def body_for(request: OpenAIRequest, target: Target, cap: int | None) -> bytes:
    """The body for this target. `cap`: the output bound that the reservation used, written into it."""
    form = request.form
    if form is not None:
        return form.with_text("model", target.model)
    fields = request.fields
    if fields is None:
        return b""
    edits: dict[str, bytes] = {}
    if fields.raw.get("model") != target.model_json:
        edits["model"] = target.model_json
    if target.prompt is not None:
        edits.update(prompt_edits(request, target.prompt))
    if target.set_fields:
        edits.update(target.set_fields)
    if request.stream and not request.wants_usage and target.asks_stream_usage:
        edits["stream_options"] = _options_with_usage(fields.raw.get("stream_options"))
    if cap is not None and request.endpoint.cap_fields:
        _write_cap(request, target, cap, fields.raw, edits)
    return fields.patch(edits) if edits else fields.body


def _options_with_usage(given: bytes | None) -> bytes:
    if given is None or given == b"null":
        return b'{"include_usage":true}'
    return scan(given).patch({"include_usage": b"true"})


def _write_cap(
    request: OpenAIRequest, target: Target, cap: int, raw: dict[str, bytes], edits: dict[str, bytes]
) -> None:
    names = request.endpoint.cap_fields
    for name in names:
        if name in target.set_fields:
            return  # the configured bound is the one that was reserved
    sent = False
    for name in names:
        text = raw.get(name)
        if text is not None and text != b"null":
            sent = True
            if int(text) > cap:
                edits[name] = b"%d" % cap
    if not sent:
        edits[target.cap_field if target.cap_field in names else names[-1]] = b"%d" % cap


def head_for(
    target: Target,
    path: bytes,
    query: bytes,
    length: int,
    content_type: bytes,
    client: dict[bytes, bytes],
    request_id: bytes,
    signed: bytes = b"",
) -> bytes:
    """The request head, up to and including its blank line; `path` is what follows the target's base.

    `signed` are whole lines that authorise this request alone.
    """
    lines = [
        b"POST ",
        target.base_path,
        path,
        b"?" + query if query else b"",
        b" HTTP/1.1\r\nhost: ",
        target.origin.authority,
        b"\r\n",
        target.auth,
        signed,
        b"content-type: ",
        content_type or b"application/json",
        b"\r\naccept-encoding: identity\r\nuser-agent: penstock\r\nx-penstock-request-id: ",
        request_id,
    ]
    for name in _FORWARDED:
        value = client.get(name)
        # Bedrock takes betas in the body: providers/anthropic/betas.py.
        if value is not None and not (name == b"anthropic-beta" and target.api == "bedrock.anthropic"):
            lines += (b"\r\n", name, b": ", value)
    lines.append(b"\r\ncontent-length: %d\r\n\r\n" % length)
    return b"".join(lines)


def stored_request(
    target: Target,
    method: bytes,
    path: bytes,
    query: bytes,
    client: dict[bytes, bytes],
    request_id: bytes,
    signed: bytes = b"",
) -> bytes:
    """A request without a body about something that the vendor keeps, whole; `signed` as for `head_for`."""
    lines = [
        method,
        b" ",
        target.base_path,
        path,
        b"?" + query if query else b"",
        b" HTTP/1.1\r\nhost: ",
        target.origin.authority,
        b"\r\n",
        target.auth,
        signed,
        b"accept-encoding: identity\r\nuser-agent: penstock\r\nx-penstock-request-id: ",
        request_id,
    ]
    for name in _FORWARDED:
        value = client.get(name)
        if value is not None:
            lines += (b"\r\n", name, b": ", value)
    lines.append(b"\r\ncontent-length: 0\r\n\r\n" if method == b"POST" else b"\r\n\r\n")
    return b"".join(lines)
