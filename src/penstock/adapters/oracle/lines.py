"""What goes over the inference process's socket: one line of JSON for each question, one for each answer."""

from __future__ import annotations

import msgspec

from penstock.ports.oracle import Kind, Question

MAX_LINE_BYTES = 4 * 1024 * 1024


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """A question under its number; `until`: monotonic seconds of this machine when nobody waits any more."""

    id: int
    until: float
    kind: Kind
    about: str
    prompt: str
    answer: str = ""
    logprobs: tuple[float, ...] = ()

    def question(self) -> Question:
        """What is asked."""
        return Question(self.kind, self.about, self.prompt, self.answer, self.logprobs)


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to the question with this number; empty where there is none, and `why`."""

    id: int
    told: tuple[float, ...] = ()
    why: str = ""


_encode = msgspec.json.Encoder().encode
_asked = msgspec.json.Decoder(Asked).decode
_told = msgspec.json.Decoder(Told).decode


def asked_line(number: int, until: float, question: Question) -> bytes:
    """A question as a line."""
    q = question
    return _encode(Asked(number, until, q.kind, q.about, q.prompt, q.answer, q.logprobs)) + b"\n"


def told_line(told: Told) -> bytes:
    """An answer as a line."""
    return _encode(told) + b"\n"


def read_asked(line: bytes) -> Asked:
    """Raises ValueError."""
    return _asked(line)


def read_told(line: bytes) -> Told:
    """Raises ValueError."""
    return _told(line)
