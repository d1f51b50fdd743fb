"""Parts that flows are made of."""

from __future__ import annotations

import base64
from collections.abc import Callable

from penstock.core.errors import ShapeError
from penstock.core.media import ImageReply, Picture
from penstock.core.usage import Usage
from penstock.ports.media import Answered, Ask, Done, Failed
from penstock.providers.media.json import encode

MAX_PICTURE = 32 * 1024 * 1024


class OneCall:
    """Implements ports.media.Flow: one call, whose answer is the reply."""

    stops = False

    def __init__(self, ask: Ask, read: Callable[[Answered], Done | Failed] | None = None) -> None:
        self._ask = ask
        self._read = read

    def first(self) -> Ask:
        """See Flow."""
        return self._ask

    def next(self, answer: Answered) -> Ask | Done | Failed:
        """See Flow."""
        return self._read(answer) if self._read is not None else Done(answer.body)

    def cancel(self) -> Ask | None:
        """See Flow: the connection's end is all that can be done."""
        return None


class Fetching:
    """Pictures that a vendor named by address: kept so, or fetched where their bytes are wanted."""

    def __init__(self, hosts: tuple[str, ...], *, inline: bool) -> None:
        self._hosts = hosts
        self._inline = inline
        self._waiting: list[str] | None = None
        self._got: list[Picture] = []

    @property
    def begun(self) -> bool:
        """Whether the pictures are being fetched."""
        return self._waiting is not None

    def start(self, urls: list[str]) -> Ask | Done:
        """The pictures of a finished task; data URLs hold their bytes already. Raises ShapeError."""
        if not urls:
            raise ShapeError("the answer", "one with at least one picture")
        if not self._inline:
            return _done([_inside(url) if url.startswith("data:") else Picture(url=url) for url in urls])
        self._waiting = list(urls)
        return self._step()

    def next(self, answer: Answered) -> Ask | Done:
        """The bytes of the picture that was asked for last."""
        self._got.append(Picture(base64=base64.b64encode(answer.body).decode()))
        return self._step()

    def _step(self) -> Ask | Done:
        waiting = self._waiting or []
        while waiting and waiting[0].startswith("data:"):
            self._got.append(_inside(waiting.pop(0)))
        if not waiting:
            return _done(self._got)
        url = waiting.pop(0)
        return Ask(method="GET", url=url, hosts=self._hosts, keyed=False, most=MAX_PICTURE)


def _inside(url: str) -> Picture:
    head, _, data = url.partition(",")
    if not head.endswith(";base64"):
        raise ShapeError("a picture", "a data URL in base64")
    return Picture(base64=data)


def _done(pictures: list[Picture]) -> Done:
    return Done(encode(ImageReply(tuple(pictures), Usage(requests=1, images=len(pictures)))))
