"""What the pipeline asks of vendors that make media, and of the APIs that their clients speak.

A vendor may need several calls for one answer: send in, look again until it is done, fetch. A `Flow` says
which, one after the other, as a pure state machine; `upstream/tasks.py` makes the calls. Errors as in
ports/translation.py: ShapeError where a vendor's answer is not what its API says, UnsupportedError where the
caller wants an error rather than a loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from penstock.core.media import ImageRequest, SpeechRequest, TranscriptRequest, VideoRequest
from penstock.ports.translation import Addressee

MAX_ANSWER = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ask:
    """One upstream call.

    `path` is below the target's base, its query included; `url`, where set, is an address that the vendor named
    and stands for it, good only at `hosts` (`*.` stands for any subdomain). `again`: look again after a pause,
    which becomes longer. `keyed`: the credential goes with it. `passes`: the answer's bytes are the client's.
    `any_status`: an error status is an answer, too.
    """

    path: str = ""
    method: str = "POST"
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    url: str = ""
    hosts: tuple[str, ...] = ()
    keyed: bool = True
    again: bool = False
    passes: bool = False
    any_status: bool = False
    most: int = MAX_ANSWER


@dataclass(frozen=True, slots=True)
class Answered:
    """A successful answer to an Ask."""

    body: bytes
    status: int = 200


@dataclass(frozen=True, slots=True)
class Done:
    """The reply, a pivot type in JSON."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """The vendor did not do it. `status` is the HTTP status that says it best."""

    message: str
    code: str = ""
    status: int = 502


class Flow(Protocol):
    """The calls of one task. `stops`: what the first call begins can be called off once it is answered."""

    stops: bool

    def first(self) -> Ask:
        """The first call. Raises UnsupportedError."""
        ...

    def next(self, answer: Answered) -> Ask | Done | Failed:
        """What follows from the answer to the last call. Raises ShapeError."""
        ...

    def cancel(self) -> Ask | None:
        """How the vendor is told that nobody waits any more; None where there is nothing to stop."""
        ...


class ImageApi(Protocol):
    """A vendor's API for pictures; `most` is how many it makes at once."""

    most: int

    def flow(self, request: ImageRequest, to: Addressee) -> Flow:
        """A fresh flow for this many pictures, never more than `most`."""
        ...


class SpeechApi(Protocol):
    """A vendor's API for speech; `formats` are the client's file formats that it can give."""

    formats: tuple[str, ...]

    def flow(self, request: SpeechRequest, to: Addressee) -> Flow:
        """A fresh flow."""
        ...


class TranscriptApi(Protocol):
    """A vendor's API for transcripts."""

    def flow(self, request: TranscriptRequest, to: Addressee) -> Flow:
        """A fresh flow."""
        ...


class VideoApi(Protocol):
    """A vendor's API for clips: every call is short, and the task lives on at the vendor."""

    hosts: tuple[str, ...]

    def create(self, request: VideoRequest, to: Addressee) -> Flow:
        """Begin a clip; done with its VideoTask."""
        ...

    def look(self, task: str, model: str) -> Flow:
        """How a clip stands; done with its VideoTask."""
        ...
