"""What a call to the admin API may raise."""

from __future__ import annotations

import msgspec


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong; `path` is the place in the configuration or the body."""

    path: str = ""
    message: str = ""
    hint: str = ""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457 problem details."""

    status: int = 0
    code: str = ""
    title: str = ""
    detail: str = ""
    request_id: str = ""
    errors: list[Detail] = []


class ProblemError(Exception):
    """The server refused; `code` is stable, the message says how to mend it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail or problem.title)
        self.problem = problem
        self.code = problem.code
        self.status = problem.status


class UnreachableError(Exception):
    """No answer: nothing serves there, or the connection broke."""


def problem_of(status: int, body: bytes) -> ProblemError:
    """The refusal that an answer is."""
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except msgspec.MsgspecError:
        problem = Problem(
            status=status,
            code="unreadable",
            detail=f"an answer with status {status} that is no problem document",
        )
    return ProblemError(problem)
