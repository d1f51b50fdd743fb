"""Control on another machine, asked over HTTPS. Implements ports.fleet.ControlDoor."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request

import msgspec

from penstock.adapters.fleet.seal import FleetToken
from penstock.ports.fleet import Asked, FleetError, Heard, Sent

# What an answer may take beyond the time that control was told to wait.
ANSWER_S = 5.0
MOST_BYTES = 512 * 1024 * 1024
NUMBER = "x-penstock-revision-number"
SNAPSHOT_PATH = "/fleet/v1/snapshot"
GATEWAYS_PATH = "/fleet/v1/gateways"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        """Control sends nobody elsewhere, and our credential goes nowhere else."""


class FleetClient:
    """One control. It is safe to use from several threads."""

    def __init__(self, url: str, token: FleetToken, ca_file: str | None, answer_s: float = ANSWER_S) -> None:
        """`ca_file` has the authorities to believe instead of the system's. Raises FleetError."""
        self._answer_s = answer_s
        self._url = url.rstrip("/")
        self._bearer = token.bearer
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        try:
            context = ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise FleetError(f"the authorities in {ca_file}: {error.strerror or error}") from None
        handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    def newer(self, asked: Asked) -> Sent | None:
        """See ports.fleet."""
        status, headers, data = self._post(SNAPSHOT_PATH, asked, asked.wait_s + self._answer_s)
        if status == http.HTTPStatus.NO_CONTENT:
            return None
        number = headers.get(NUMBER, "")
        if status != http.HTTPStatus.OK or not number.isdecimal():
            raise FleetError(f"{self._url} answers {status}, which is not control's")
        return Sent(number=int(number), data=data)

    def say(self, heard: Heard) -> None:
        """See ports.fleet."""
        self._post(GATEWAYS_PATH, heard, self._answer_s)

    def _post(self, path: str, body: Heard, timeout_s: float) -> tuple[int, http.client.HTTPMessage, bytes]:
        headers = {"authorization": f"Bearer {self._bearer}", "content-type": "application/json"}
        request = urllib.request.Request(  # noqa: S310 - the configuration takes http and https alone
            self._url + path, msgspec.json.encode(body), headers, method="POST"
        )
        try:
            with self._opener.open(request, timeout=timeout_s) as answer:
                return answer.status, answer.headers, answer.read(MOST_BYTES)
        except urllib.error.HTTPError as error:
            with error:
                raise FleetError(_refused(self._url, error.code)) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise FleetError(f"{self._url}: {reason}") from None


def _refused(url: str, status: int) -> str:
    if status == http.HTTPStatus.UNAUTHORIZED:
        return f"{url} does not know this server.control_token; both machines need the same"
    if status == http.HTTPStatus.NOT_FOUND:
        return f"{url} is not a server.control_listen of Penstock"
    return f"{url} answers {status}"
