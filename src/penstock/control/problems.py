"""What control refuses, as one type with a stable code; the API answers it as RFC 9457 problem details."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from penstock.config.problem import Problem as ConfigProblem

# status, title
CODES: dict[str, tuple[int, str]] = {
    "invalid_request": (400, "The request cannot be read."),
    "login_state": (400, "The answer belongs to no login that this browser has under way."),
    "invalid_cursor": (400, "The cursor is not one that this API gave out."),
    "unauthenticated": (401, "The request carries no valid credential."),
    "login_failed": (401, "The name or the password is not right."),
    "csrf_failed": (403, "The request could be another site's."),
    "insecure_transport": (403, "Logging in needs an encrypted connection."),
    "login_refused": (403, "The identity provider's answer lets nobody in."),
    "forbidden": (403, "The caller may not do this."),
    "not_found": (404, "There is no such object, or it is not yours to see."),
    "method_not_allowed": (405, "The path exists, with another method."),
    "managed_by_file": (409, "The object stands in the configuration file and is changed there."),
    "in_use": (409, "Other objects need this one."),
    "already_exists": (409, "The name is taken."),
    "drill_refused": (409, "The failover drill cannot be begun."),
    "key_revoked": (409, "The key is revoked, for good."),
    "precondition_failed": (412, "The object is not in the state that the request expects."),
    "body_too_large": (413, "The body is too large."),
    "unsupported_media_type": (415, "The body is not JSON."),
    "config_invalid": (422, "The configuration would not be valid with this change."),
    "too_many_attempts": (429, "Too many attempts to log in."),
    "internal_error": (500, "A defect in control."),
    "provider_failed": (502, "The identity provider does not answer as it should."),
    "store_unavailable": (503, "The control database cannot be reached."),
    "publish_failed": (503, "The change is recorded and not published yet."),
}


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong; `path` is the place in the configuration or the body."""

    path: str
    message: str
    hint: str = ""


class Denied(Exception):  # noqa: N818 - an answer, not a fault of the program
    """The request is not carried out; the message says how to mend it and holds no secret."""

    def __init__(
        self, code: str, detail: str, errors: Sequence[FieldError] = (), *, retry_after_s: int = 0
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.status, self.title = CODES[code]
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s


def invalid(problems: Sequence[ConfigProblem]) -> Denied:
    """The configuration with the change is not valid."""
    errors = [FieldError(path=one.path, message=one.message, hint=one.hint) for one in problems]
    first = problems[0] if problems else None
    said = f"{first.path}: {first.message}" + (f"; {first.hint}" if first.hint else "") if first else ""
    return Denied("config_invalid", said or "the configuration is not valid", errors)
