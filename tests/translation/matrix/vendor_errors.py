"""Errors of each vendor, as status and body and as an event of a stream, written from its documentation."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
_LIMIT, _BAD, _BUSY = "Rate limit reached.", "messages: at least one message is required", "Overloaded"


def _openai(code: str | None, kind: str, message: str) -> Json:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _anthropic(kind: str, message: str) -> Json:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_011CS"}


def _google(status: int, word: str, message: str) -> Json:
    return {"error": {"code": status, "message": message, "status": word}}


def _google_wait(delay: str) -> Json:
    """How long to wait stands in the details, in no header: https://google.aip.dev/193#retryinfo."""
    error = _google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.")["error"]
    details: list[Json] = [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": []},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
    ]
    return {"error": {**error, "details": details}}


# https://platform.openai.com/docs/guides/error-codes
_OPENAI = {
    "bad_request": (400, _openai(None, "invalid_request_error", _BAD)),
    "wrong_key": (401, _openai("invalid_api_key", "invalid_request_error", "Incorrect API key provided.")),
    "no_model": (404, _openai("model_not_found", "invalid_request_error", "The model `m` does not exist.")),
    "rate_limit": (429, _openai("rate_limit_exceeded", "tokens", _LIMIT)),
    "no_quota": (429, _openai("insufficient_quota", "insufficient_quota", "You exceeded your quota.")),
    "server": (500, _openai(None, "server_error", "The server had an error.")),
    "overloaded": (503, _openai(None, "server_error", "The engine is currently overloaded.")),
}

ERRORS: dict[str, dict[str, tuple[int, Json]]] = {
    "openai.chat": _OPENAI,
    "openai.responses": _OPENAI,
    # https://platform.claude.com/docs/en/api/errors
    "anthropic": {
        "bad_request": (400, _anthropic("invalid_request_error", _BAD)),
        "wrong_key": (401, _anthropic("authentication_error", "invalid x-api-key")),
        "no_model": (404, _anthropic("not_found_error", "model: m")),
        "too_large": (413, _anthropic("request_too_large", "Request exceeds the maximum size")),
        "rate_limit": (429, _anthropic("rate_limit_error", _LIMIT)),
        "server": (500, _anthropic("api_error", "Internal server error")),
        "overloaded": (529, _anthropic("overloaded_error", _BUSY)),
        # Called a bad request: https://github.com/anthropics/claude-code/issues/88711
        "no_credit": (400, _anthropic("invalid_request_error", "Your credit balance is too low.")),
        "billing": (402, _anthropic("billing_error", "There is an issue with your payment method.")),
    },
    # https://ai.google.dev/gemini-api/docs/troubleshooting
    "gemini": {
        "bad_request": (400, _google(400, "INVALID_ARGUMENT", "contents is not specified")),
        "wrong_key": (400, _google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.")),
        "no_model": (404, _google(404, "NOT_FOUND", "models/m is not found for API version v1beta")),
        "rate_limit": (429, _google(429, "RESOURCE_EXHAUSTED", _LIMIT)),
        "quota": (429, _google_wait("34.5s")),
        "server": (500, _google(500, "INTERNAL", "An internal error has occurred.")),
        "overloaded": (503, _google(503, "UNAVAILABLE", "The model is overloaded.")),
    },
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors
    "converse": {
        "bad_request": (400, {"message": "The provided model identifier is invalid."}),
        "wrong_key": (403, {"message": "The security token included in the request is invalid."}),
        "rate_limit": (429, {"message": "Too many tokens, please wait before trying again."}),
        "overloaded": (503, {"message": "The service isn't currently available."}),
    },
    # https://docs.cohere.com/reference/errors
    "cohere": {
        "bad_request": (400, {"id": "c", "message": "invalid request: message must be at least 1 token long"}),
        "wrong_key": (401, {"id": "c", "message": "invalid api token"}),
        "no_model": (404, {"id": "c", "message": "model 'm' not found"}),
        "rate_limit": (429, {"id": "c", "message": "You are using a Trial key"}),
    },
    # https://docs.mistral.ai/api/
    "mistral": {
        "bad_request": (
            422,
            {
                "object": "error",
                "message": {"detail": [{"type": "missing", "loc": ["body", "model"], "msg": "Field required"}]},
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            },
        ),
        "wrong_key": (401, {"detail": "Unauthorized"}),
        "no_model": (
            400,
            {
                "object": "error",
                "message": "Invalid model: m",
                "type": "invalid_model",
                "param": None,
                "code": "1500",
            },
        ),
        "rate_limit": (
            429,
            {
                "object": "error",
                "message": "Requests rate limit exceeded",
                "type": "rate_limited",
                "param": None,
                "code": "1300",
            },
        ),
    },
    # https://docs.ollama.com/api/errors
    "ollama": {
        "bad_request": (400, {"error": "the model does not support tools"}),
        "no_model": (404, {"error": "model 'm' not found"}),
        "server": (500, {"error": "an error was encountered while running the model"}),
    },
}

# What each vendor says in the middle of a stream.
BREAKS: dict[str, Any] = {
    "openai.chat": _openai(None, "server_error", "The server had an error."),
    "openai.responses": {
        "type": "error",
        "code": "server_error",
        "message": "The server had an error.",
        "param": None,
        "sequence_number": 9,
    },
    "anthropic": _anthropic("overloaded_error", _BUSY),
    "gemini": _google(503, "UNAVAILABLE", "The model is overloaded."),
    "converse": ("throttlingException", {"message": "Too many tokens."}),
    "mistral": {
        "object": "error",
        "message": "Service unavailable.",
        "type": "internal_server_error",
        "param": None,
        "code": "1900",
    },
    "ollama": {"error": "an error was encountered while running the model"},
}
