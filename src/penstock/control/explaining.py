"""Asking a running gateway where it would lead a request, and why; without one the file alone answers."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path
from typing import Any

import msgspec

from penstock.adapters.credentials.place import address_of
from penstock.compile.dry import dry_plan
from penstock.compile.targets import CompileError
from penstock.control.objects import Asker, Objects
from penstock.control.plane import ControlPlane
from penstock.control.problems import Denied
from penstock.core.errors import Refusal
from penstock.core.question import Question
from penstock.pipeline.explaining import explained, not_live
from penstock.routing.resolve import Resolver

TIMEOUT_S = 5.0
_OK = 200


class _Door(http.client.HTTPConnection):
    """A connection to a gateway's Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("gateway", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        """Connect. Raises OSError."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(TIMEOUT_S)
        with address_of(self._path) as name:
            self.sock.connect(name)


def explain_route(plane: ControlPlane, asker: Asker, route: str, asked: dict[str, Any]) -> dict[str, Any]:
    """The explanation of one route for who may read it, and the key that is named. Raises Denied."""
    objects = Objects(plane)
    objects.get(asker, "route", "", route)
    try:
        question = msgspec.convert(
            {**asked, "body": msgspec.Raw(msgspec.json.encode(asked.get("body", {})))}, Question
        )
    except msgspec.ValidationError as error:
        raise Denied("invalid_request", f"the question cannot be read: {error}") from None
    question = msgspec.structs.replace(question, route=route)
    if question.key:
        found, _ = objects.page(
            asker, "key", org=None, team=None, managed_by=None, prefix=question.key, after=None, limit=500
        )
        if all(item.name != question.key for item in found):
            raise Denied("not_found", f"there is no key {question.key!r}, or it is not yours to see")
    for door in plane.gateways.doors():
        told = _ask(door, question)
        if told is not None:
            return {**told, "live": True}
    return {**_dry(plane, question), "live": False}


def _ask(door: Path, question: Question) -> dict[str, Any] | None:
    """What a gateway says, None where it does not answer. Raises Denied."""
    connection = _Door(door)
    try:
        connection.request(
            "POST", "/explain", msgspec.json.encode(question), {"content-type": "application/json"}
        )
        answer = connection.getresponse()
        data = answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    told = msgspec.json.decode(data)
    if answer.status != _OK:
        raise Denied("invalid_request", str(told.get("error", {}).get("message", "the gateway refuses it")))
    return told


def _dry(plane: ControlPlane, question: Question) -> dict[str, Any]:
    with plane.store.reading() as reading:
        items = reading.all_items()
    now_ms = plane.now_ms()
    try:
        plan = dry_plan(plane.tried(items).document, now_ms)
        return explained(plan, Resolver(plan, now_ms), question, not_live(now_ms))
    except (CompileError, Refusal) as error:
        raise Denied("invalid_request", str(error)) from None
