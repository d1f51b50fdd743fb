"""Names of Bedrock's errors: as `x-amzn-errortype` of an answer, as exceptions inside a stream."""

from __future__ import annotations

# What a kind of the gateway's own errors is called, by the status that the client sees.
BY_STATUS: dict[int, str] = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    402: "ServiceQuotaExceededException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    502: "InternalServerException",
    503: "ServiceUnavailableException",
    504: "ModelTimeoutException",
}
# Members of ConverseStreamOutput that are exceptions, with the status that the service model gives them.
IN_STREAM: dict[str, int] = {
    "internalServerException": 500,
    "modelStreamErrorException": 424,
    "validationException": 400,
    "throttlingException": 429,
    "serviceUnavailableException": 503,
    "modelTimeoutException": 408,
}


def error_type(status: int) -> str:
    """The exception's name for a status."""
    return BY_STATUS.get(status) or (
        "ValidationException" if 400 <= status < 500 else "InternalServerException"
    )


def stream_exception(status: int) -> str:
    """The stream exception nearest to a status; 0 is a vendor that broke off."""
    if status in (0, 424, 502):
        return "modelStreamErrorException"
    if status == 429:
        return "throttlingException"
    if status in (503, 529):
        return "serviceUnavailableException"
    return "validationException" if 400 <= status < 500 else "internalServerException"
