"""The gateways of this machine through their doors: the Unix sockets beside their acknowledgements."""

from __future__ import annotations

import http.client
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import msgspec

from penstock.adapters.unix_http import ask

TIMEOUT_S = 2.0
log = logging.getLogger("penstock.control")


class Doors:
    """Implements ports.live.LiveGateways. `run` is where gateways put their sockets."""

    def __init__(self, run: Path) -> None:
        self._run = run

    def exchanges(self) -> tuple[list[dict[str, Any]], list[str]]:
        """See LiveGateways."""
        answers, silent = self._asked("GET", "/exchanges")
        found: list[dict[str, Any]] = []
        for gateway, body in answers.items():
            listed = body.get("data")
            if isinstance(listed, list):
                found += [{**one, "gateway": gateway} for one in cast("list[dict[str, Any]]", listed)]
            else:
                silent.append(gateway)
        return found, silent

    def cache(self) -> tuple[list[dict[str, Any]], list[str]]:
        """See LiveGateways."""
        answers, silent = self._asked("GET", "/cache")
        return [{**body, "gateway": gateway} for gateway, body in answers.items()], silent

    def purge(self, purge: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
        """See LiveGateways."""
        answers, silent = self._asked("POST", "/cache/purge", msgspec.json.encode(purge))
        return [{**body, "gateway": gateway} for gateway, body in answers.items()], silent

    def _asked(
        self, method: str, path: str, body: bytes | None = None
    ) -> tuple[dict[str, dict[str, Any]], list[str]]:
        """What each gateway answers, and those that do not."""
        found: dict[str, dict[str, Any]] = {}
        silent: list[str] = []
        # A gateway that has ended took its acknowledgement with it, or left a socket at which nobody answers.
        for ack in sorted(self._run.glob("*.json")):
            door = ack.with_suffix(".sock")
            if not door.exists():
                continue
            try:
                status, told = ask(door, method, path, timeout_s=TIMEOUT_S, body=body)
            except ConnectionRefusedError:
                continue
            except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
                log.warning("gateway %s does not answer %s: %s", ack.stem, path, error)
                silent.append(ack.stem)
                continue
            if status == 200:
                found[ack.stem] = told
            else:
                silent.append(ack.stem)
        return found, silent

    def drills(self) -> list[dict[str, Any]]:
        """See LiveGateways."""
        found: list[dict[str, Any]] = []
        for gateway, status, body in self._all("GET", "/drills"):
            listed = body.get("data") if status == 200 else None
            if isinstance(listed, list):
                found += [{**one, "gateway": gateway} for one in cast("list[dict[str, Any]]", listed)]
        return found

    def begin_drill(self, rule: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
        """See LiveGateways."""
        found: list[dict[str, Any]] = []
        refused: list[str] = []
        for gateway, status, body in self._all("POST", "/drills", msgspec.json.encode(rule)):
            if status == 200:
                found.append({**body, "gateway": gateway})
            else:
                refused.append(str(cast("dict[str, Any]", body.get("error", {})).get("message", status)))
        return found, refused

    def end_drill(self, route: str) -> list[dict[str, Any]]:
        """See LiveGateways."""
        answers = self._all("DELETE", f"/drills/{quote(route, safe='')}")
        return [{**body, "gateway": gateway} for gateway, status, body in answers if status == 200]

    def _all(
        self, method: str, path: str, body: bytes | None = None
    ) -> Iterator[tuple[str, int, dict[str, Any]]]:
        """Ask every gateway; those that do not answer are left out."""
        for ack in sorted(self._run.glob("*.json")):
            door = ack.with_suffix(".sock")
            try:
                yield ack.stem, *ask(door, method, path, timeout_s=TIMEOUT_S, body=body)
            except FileNotFoundError:
                continue
            except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
                log.warning("gateway %s does not answer %s %s: %s", ack.stem, method, path, error)

    def stop(self, gateway: str, request_id: str) -> bool:
        """See LiveGateways."""
        door = self._run / f"{gateway}.sock"
        try:
            status, _ = ask(door, "DELETE", f"/exchanges/{quote(request_id, safe='')}", timeout_s=TIMEOUT_S)
        except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
            log.warning("gateway %s does not stop %s: %s", gateway, request_id, error)
            return False
        return status == 200
