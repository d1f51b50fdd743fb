"""The audit log: who did what to which object, a chain in which each entry holds the digest of the one before.

Whoever changes, removes or reorders an entry breaks the chain; whoever cuts off its end misses the *anchor*:
the newest link, sealed with the master key, which stands in the database and in a file of each machine.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from penstock.ports.control_store import AuditQuery, AuditRow, ControlStore, Reading, Writing
from penstock.ports.secrets import SecretBox, UnsealError

GENESIS = "0" * 64
ANCHOR = "audit.anchor"
PAGE = 500
Outcome = Literal["done", "denied", "failed"]


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, from where; `name` is a principal's, or `file`."""

    name: str
    kind: str
    address: str = ""
    request_id: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What happened. `before` and `after` have secrets as fingerprints; `revision` is 0 where there is none."""

    action: str
    kind: str = ""
    org: str = ""
    team: str = ""
    name: str = ""
    outcome: Outcome = "done"
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    revision: int = 0
    reason: str = ""
    detail: str = ""


class Flaw(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with the log; `seq` is the entry at which it shows."""

    seq: int
    problem: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification found. `head` is the newest link: keep it elsewhere to compare with later."""

    valid: bool
    entries: int
    head: str
    flaws: list[Flaw]


def link(seq: int, previous: str, entry: str) -> str:
    """The digest of one entry, in hex: SHA-256 over its number, the digest before it, and its text."""
    return hashlib.sha256(f"{seq}\n{previous}\n{entry}".encode()).hexdigest()


class AuditLog:
    """Writes and verifies the log."""

    def __init__(self, box: SecretBox, head_file: Path, now_ms: Callable[[], int]) -> None:
        self._box = box
        self._head_file = head_file
        self._now_ms = now_ms

    def append(self, writing: Writing, actor: Actor, events: list[Event]) -> None:
        """Add entries in a transaction that is under way; call `anchored` once it is committed."""
        last = writing.audit(AuditQuery(limit=1))
        seq, previous = (last[0].seq, last[0].digest) if last else (0, GENESIS)
        now = self._now_ms()
        for event in events:
            seq += 1
            entry = _text(seq, now, actor, event)
            digest = link(seq, previous, entry)
            writing.add_audit(
                AuditRow(
                    seq=seq,
                    entry=entry,
                    previous=previous,
                    digest=digest,
                    ts_ms=now,
                    actor=actor.name,
                    action=event.action,
                    kind=event.kind,
                    org=event.org,
                    team=event.team,
                    name=event.name,
                    outcome=event.outcome,
                )
            )
            previous = digest
        writing.keep_note(ANCHOR, self._sealed(seq, previous))

    def anchored(self, reading: Reading) -> None:
        """Copy the committed anchor to this machine's file."""
        anchor = reading.note(ANCHOR)
        if anchor is None:
            return
        draft = self._head_file.with_name(f".{self._head_file.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(anchor)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._head_file)

    def verify(self, store: ControlStore, witness: str = "") -> Verdict:
        """Walk the whole chain. `witness` is a head that was noted earlier, as `seq:digest`."""
        flaws: list[Flaw] = []
        seen: dict[int, str] = {0: GENESIS}
        with store.reading() as reading:
            anchors = [("in the database", reading.note(ANCHOR))]
            with suppress(OSError):
                anchors.append((f"in {self._head_file.name}", self._head_file.read_text()))
            marks = self._marks(anchors, flaws)
            if witness:
                number, _, digest = witness.partition(":")
                marks.append((int(number) if number.isdigit() else -1, digest, "that you gave"))
            wanted = {seq for seq, _, _ in marks}
            seq, previous = 0, GENESIS
            for row in rows(reading):
                if row.seq != seq + 1:
                    flaws.append(Flaw(seq=seq + 1, problem=f"entries {seq + 1} to {row.seq - 1} are missing"))
                _check(row, previous, flaws)
                seq, previous = row.seq, row.digest
                if seq in wanted:
                    seen[seq] = previous
        for mark, digest, where in marks:
            if seen.get(mark) != digest:
                flaws.append(
                    Flaw(
                        seq=mark, problem=f"the anchor {where} names entry {mark}, which is not there as it was"
                    )
                )
        sealed = [mark for mark in marks if mark[2] == "in the database"]
        if seq and not sealed:
            flaws.append(Flaw(seq=seq, problem="the anchor in the database is missing"))
        elif sealed and sealed[0][0] < seq:
            flaws.append(Flaw(seq=sealed[0][0] + 1, problem="entries were added after the anchor"))
        return Verdict(valid=not flaws, entries=seq, head=f"{seq}:{previous}", flaws=flaws)

    def _marks(self, anchors: list[tuple[str, str | None]], flaws: list[Flaw]) -> list[tuple[int, str, str]]:
        found: list[tuple[int, str, str]] = []
        for where, text in anchors:
            if not text:
                continue
            try:
                plain = self._box.unseal(base64.b64decode(text, validate=True)).decode()
                number, _, digest = plain.partition(":")
                found.append((int(number), digest, where))
            except (UnsealError, ValueError):
                flaws.append(Flaw(seq=0, problem=f"the anchor {where} is not one that we sealed"))
        return found

    def _sealed(self, seq: int, digest: str) -> str:
        return base64.b64encode(self._box.seal(f"{seq}:{digest}".encode())).decode()


def rows(reading: Reading, query: AuditQuery | None = None) -> Iterator[AuditRow]:
    """All entries that a query wants, the oldest first, page by page."""
    query = query or AuditQuery()
    after = query.after or 0
    while True:
        page = reading.audit(msgspec.structs.replace(query, after=after, limit=PAGE, oldest_first=True))
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].seq


def exported(row: AuditRow) -> dict[str, Any]:
    """One entry with what links it."""
    return {**msgspec.json.decode(row.entry), "previous": row.previous, "digest": row.digest}


def _text(seq: int, now_ms: int, actor: Actor, event: Event) -> str:
    at = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
    said: dict[str, Any] = {
        "seq": seq,
        "ts": at.replace("+00:00", "Z"),
        "actor": actor.name,
        "actor_kind": actor.kind,
        "address": actor.address,
        "request_id": actor.request_id,
        **msgspec.structs.asdict(event),
    }
    return msgspec.json.encode(said, order="sorted").decode()


def _check(row: AuditRow, previous: str, flaws: list[Flaw]) -> None:
    if row.previous != previous:
        flaws.append(Flaw(seq=row.seq, problem="it does not follow the entry before it"))
    if link(row.seq, row.previous, row.entry) != row.digest:
        flaws.append(Flaw(seq=row.seq, problem="it was changed"))
        return
    said = msgspec.json.decode(row.entry)
    repeated = ("seq", "actor", "action", "kind", "org", "team", "name", "outcome")
    at = datetime.fromisoformat(said["ts"])
    if any(said[name] != getattr(row, name) for name in repeated) or round(at.timestamp() * 1000) != row.ts_ms:
        flaws.append(Flaw(seq=row.seq, problem="its index says something else than the entry"))
