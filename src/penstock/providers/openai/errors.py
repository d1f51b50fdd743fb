"""What an upstream's failure means: for the policy (retry, fall back, give up) and for the client."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import msgspec

from penstock.core.itinerary import AttemptOutcome, Verdict
from penstock.core.target import Target
from penstock.shapes.openai import ErrorShape, decode_error

_envelope = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

# Status -> (what the policy may do, the code the client sees). Others: 4xx is the request's own fault, which no
# other target would forgive; 5xx is the provider's.
_STATUS: dict[int, tuple[Verdict, str]] = {
    401: ("fallback", "upstream_auth"),
    402: ("fallback", "upstream_auth"),
    403: ("fallback", "upstream_auth"),
    404: ("fallback", ""),
    408: ("retry", "upstream_timeout"),
    409: ("retry", ""),
    425: ("retry", "upstream_error"),
    429: ("retry", "upstream_rate_limited"),
    503: ("retry", "upstream_overloaded"),
    504: ("retry", "upstream_timeout"),
    529: ("retry", "upstream_overloaded"),
}
_CAUSES: dict[str, tuple[Verdict, str]] = {
    "connect_refused": ("retry", "upstream_unreachable"),
    "connect_timeout": ("retry", "upstream_unreachable"),
    "connect_error": ("retry", "upstream_unreachable"),
    "dns_error": ("fallback", "upstream_unreachable"),
    "tls_error": ("fallback", "upstream_unreachable"),
    "first_event_timeout": ("fallback", "upstream_timeout"),
    "idle_timeout": ("fallback", "upstream_timeout"),
    "total_timeout": ("final", "upstream_timeout"),
    "stalled": ("fallback", "upstream_timeout"),
    "too_late": ("fallback", "upstream_timeout"),
    "reset": ("retry", "upstream_error"),
    "cut": ("retry", "upstream_error"),
    "bad_response": ("retry", "upstream_garbage"),
    "garbage": ("retry", "upstream_garbage"),
    "schema_mismatch": ("fallback", "schema_mismatch"),
    "unpinned": ("fallback", "upstream_error"),
    "apart": ("fallback", "upstream_error"),
    "stream_error": ("retry", "upstream_error"),
    "stale": ("stale", "upstream_error"),
    "no_credential": ("fallback", "no_credential"),
    "budget": ("fallback", "budget_exceeded"),
    "rate_limited": ("fallback", "rate_limited"),
    "too_many_concurrent": ("fallback", "too_many_concurrent"),
    "deployment_busy": ("fallback", "deployment_busy"),
    "limits_unavailable": ("fallback", "limits_unavailable"),
    "unpriced": ("fallback", "unpriced_model"),
    "policy_denied": ("fallback", "policy_denied"),
    "killed": ("final", "exchange_killed"),
    "journal_full": ("final", "journal_full"),
    "internal": ("final", "internal_error"),
}
_RATE_WORDS = re.compile(r"rate.?limit|too_many_requests|quota", re.IGNORECASE)
_OVERLOAD_WORDS = re.compile(r"overloaded|unavailable|capacity", re.IGNORECASE)
# The account at the vendor is used up, which waiting does not mend; others answer 402 (DeepSeek, OpenRouter).
# https://platform.openai.com/docs/guides/error-codes, https://platform.moonshot.ai/docs/api/chat
_USED_UP = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "exceeded_current_quota_error", "billing_error"}
)
# Anthropic calls it a bad request: https://github.com/anthropics/claude-code/issues/88711
_USED_UP_WORDS = re.compile(r"credit balance is too low|insufficient (?:balance|credits|funds)", re.IGNORECASE)
# Some vendors (xAI, Google) call a wrong key a bad request.
_KEY_WORDS = re.compile(
    r"(?:incorrect|invalid|missing)[^.]{0,12} api.?key|api.?key (?:is )?(?:not valid|invalid)", re.IGNORECASE
)
_KEY_CODES = frozenset({"invalid_api_key", "API_KEY_INVALID"})
MAX_TEXT = 2000
# Our own word for a vendor's task that ran and failed: sent in again, it would run, and cost, again.
TASK_FAILED = "task_failed"


@dataclass(slots=True)
class Failure:
    """One attempt's failure. `code` is empty where the upstream's own 4xx goes to the client as it is.

    `foreign`: the upstream speaks another API than the client, so that its words go, but not its shape.
    `waiting_helps`: false where the same request cannot succeed later, such as with a used-up account.
    `secrets`: what its words may hold beside the target's own secrets.
    """

    cause: str
    code: str
    status: int
    message: str
    body: bytes = b""
    retry_after_s: float | None = None
    verdict: Verdict = "fallback"
    target: Target | None = None
    headers: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    foreign: bool = False
    waiting_helps: bool = True
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def outcome(self, attempt: int) -> AttemptOutcome:
        """What the policy is told of the attempt with this number."""
        return AttemptOutcome(self.verdict, self.cause, self.retry_after_s, attempt)


def failure_of_status(status: int, body: bytes, retry_after_s: float | None, error: ErrorShape) -> Failure:
    """The failure that an error status is; `error` is what could be read of its body."""
    default: tuple[Verdict, str] = ("retry", "upstream_error") if status >= 500 else ("final", "")
    verdict, code = _STATUS.get(status, default)
    used_up = _is_used_up(status, error)
    if used_up:
        verdict, code = ("fallback", "upstream_rate_limited") if status == 429 else _STATUS[402]
    if error.code == TASK_FAILED:
        verdict = "fallback"
    if status == 400 and (error.code in _KEY_CODES or _KEY_WORDS.match(error.message or "")):
        verdict, code = _STATUS[401]
    if status < 300:
        verdict, code = "retry", "upstream_garbage"
    message = error.message or body[:MAX_TEXT].decode("utf-8", "replace") or f"HTTP {status} without a body"
    wait_s = retry_after_s if retry_after_s is not None else error.wait_s
    return Failure(f"status_{status}", code, status, message, body, wait_s, verdict, waiting_helps=not used_up)


def _is_used_up(status: int, error: ErrorShape) -> bool:
    if status == 402 or error.code in _USED_UP or error.type in _USED_UP:
        return True
    return status in (400, 403, 429) and _USED_UP_WORDS.search(error.message or "") is not None


def failure_of_cause(cause: str, detail: str) -> Failure:
    """The failure of the connection, of time, or of an answer that cannot be read."""
    verdict, code = _CAUSES.get(cause, ("fallback", "upstream_error"))
    return Failure(cause, code, 0, detail, verdict=verdict)


def failure_of_event(error: bytes) -> Failure:
    """The failure that an error inside a stream is."""
    shape = _shape(error)
    text = f"{shape.type} {shape.code}"
    if _RATE_WORDS.search(text) or shape.code == 429:
        code = "upstream_rate_limited"
    elif _OVERLOAD_WORDS.search(text) or shape.code in (503, 529):
        code = "upstream_overloaded"
    else:
        code = "upstream_error"
    message = shape.message or error[:MAX_TEXT].decode("utf-8", "replace")
    verdict: Verdict = (
        "final" if shape.code in (400, 413, 422) or shape.type == "invalid_request_error" else "retry"
    )
    used_up = shape.code in _USED_UP or shape.type in _USED_UP
    if used_up:
        verdict = "fallback"
    return Failure("stream_error", code, 0, message, verdict=verdict, waiting_helps=not used_up)


def read_error(body: bytes) -> ErrorShape:
    """The error object in a body, however much of one there is."""
    try:
        members = _envelope(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ErrorShape()
    inner = members.get("error")
    return _shape(bytes(inner) if inner is not None else body)


def _shape(text: bytes) -> ErrorShape:
    try:
        return decode_error(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return ErrorShape(message=msgspec.json.decode(text, type=str))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ErrorShape()


# Prefixes that vendors give their keys, a token in a header, and a key of which the middle was blanked. A digit
# or a star must occur, so that prose ("Incorrect API key provided") stays readable.
_KEY_LIKE = re.compile(
    r"\b(?:(?:sk|pk|rk|gsk|xai|hf|nvapi|csk|fw|tgp)[-_]|AIza)(?=[\w*.-]*[0-9*])[\w*.-]{8,}"
    r"|\bBearer [\w*.~+/-]{8,}=*"
    r"|\b[\w-]{2,}\*{3,}[\w*-]*",
    re.IGNORECASE,
)


def redact(text: str, secrets: tuple[str, ...]) -> str:
    """The text without our credentials and anything that looks like one (vendors echo keys in part)."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "[redacted]")
    return _KEY_LIKE.sub("[redacted]", text)
