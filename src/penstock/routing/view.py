"""What a policy may know of a request, worked out when it is asked for."""

from __future__ import annotations

from penstock.core.exchange import RequestFacts, Subject
from penstock.core.plan import VirtualKey
from penstock.shapes.openai_request import OpenAIRequest


class RequestView:
    """One request as policies see it."""

    __slots__ = ("facts", "key", "request", "subject")

    def __init__(self, request: OpenAIRequest, facts: RequestFacts, subject: Subject, key: VirtualKey) -> None:
        self.request = request
        self.facts = facts
        self.subject = subject
        self.key = key
