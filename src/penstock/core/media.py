"""Images, speech, transcripts and videos, in no vendor's words: what is asked, and what is answered.

As with conversations (core/chat.py), everything that was not said is None or empty. `extras` are fields that
OpenAI's API does not have; they go to the vendor as they are, so that its own parameters can be used.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from penstock.core.usage import Usage

Extras = dict[str, Any]
Size = tuple[int, int]
VideoStatus = Literal["queued", "in_progress", "completed", "failed"]


class ImageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures from a text. `inline`: their bytes are wanted rather than addresses."""

    model: str
    prompt: str
    count: int = 1
    size: Size | None = None
    quality: str | None = None
    style: str | None = None
    background: str | None = None
    file_format: str | None = None
    inline: bool = False
    extras: Extras = {}


class Picture(msgspec.Struct, frozen=True):
    """One picture: an address, or its bytes in base64."""

    url: str = ""
    base64: str = ""


class ImageReply(msgspec.Struct, frozen=True):
    """What a provider answers."""

    pictures: tuple[Picture, ...] = ()
    usage: Usage = Usage()


class SpeechRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A text to be spoken. `file_format` is one of OpenAI's: mp3, opus, aac, flac, wav, pcm."""

    model: str
    text: str
    voice: str = ""
    file_format: str = "mp3"
    speed: float | None = None
    instructions: str | None = None
    extras: Extras = {}


class SpeechReply(msgspec.Struct, frozen=True):
    """A recording that a provider put into JSON; those that answer with audio have none."""

    base64: str = ""
    usage: Usage = Usage()


class TranscriptRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A recording to be written down. `audio_type` is its media type, empty where the client did not say."""

    model: str
    audio: bytes
    file_name: str = "audio"
    audio_type: str = ""
    language: str | None = None
    prompt: str | None = None
    temperature: float | None = None
    extras: Extras = {}


class Word(msgspec.Struct, frozen=True):
    """One word and when it is said."""

    text: str
    start_s: float
    end_s: float


class TranscriptReply(msgspec.Struct, frozen=True):
    """What a provider heard."""

    text: str = ""
    language: str = ""
    duration_s: float | None = None
    words: tuple[Word, ...] = ()
    usage: Usage = Usage()


class VideoRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A clip from a text and, at will, a first frame (`image`: an address or a data URL)."""

    model: str
    prompt: str
    seconds: int | None = None
    size: Size | None = None
    image: str = ""
    extras: Extras = {}


class VideoTask(msgspec.Struct, frozen=True):
    """Where a clip stands at the vendor; `url` is set once it is there to be fetched."""

    id: str
    status: VideoStatus = "queued"
    progress: int = 0
    url: str = ""
    error_code: str = ""
    error: str = ""
    usage: Usage = Usage(requests=1)


class VideoTicket(msgspec.Struct, frozen=True, array_like=True):
    """What stands, sealed, in the id that a client gets for a clip: whose it is, and where it is made."""

    org: str
    key: str
    target: str
    task: str
    model: str
    created_s: int
    seconds: str = ""
    size: str = ""
