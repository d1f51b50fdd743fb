"""Changes of what is configured, each of them one revision: checked, recorded, published, acknowledged."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from penstock.compile.targets import CompileError
from penstock.config.document import Auth, Document, Secret, SecretError
from penstock.config.problem import ConfigError
from penstock.config.snapshot import Snapshot, SnapshotError
from penstock.control.acks import HEARD_WITHIN_MS, Gateways
from penstock.control.audit import Actor, AuditLog, Event
from penstock.control.fleet import Fleet
from penstock.control.known import Known, read_known, write_known
from penstock.control.problems import Denied, invalid
from penstock.control.publish import FileContent, Publisher, refuse_clashes
from penstock.control.secrets import Secrets
from penstock.ports.control_store import Change, ControlStore, Item, Kind, Origin, Revision, Served, Writing
from penstock.ports.live import LiveGateways
from penstock.ports.metering import MeteringReader

ACK_WAIT_S = 5.0
ACK_POLL_S = 0.02
FORGET_SERVED_MS = 60_000
FILE = Actor(name="file", kind="file")
# What the newest file was that any machine took, by digest.
FILE_NOTE = "file."
log = logging.getLogger("penstock.control")
T = TypeVar("T")


class Draft:
    """All objects, for one change to edit."""

    def __init__(self, items: Iterable[Item], now_ms: int) -> None:
        self.now_ms = now_ms
        self._before = {item.key: item for item in items}
        self._now = dict(self._before)

    def get(self, kind: Kind, org: str, name: str) -> Item | None:
        """One object as it would be."""
        return self._now.get((kind, org, name))

    def of(self, kind: Kind, org: str | None = None) -> list[Item]:
        """All objects of a kind, of one organisation if it is named."""
        return [one for one in self._now.values() if one.kind == kind and org in (None, one.org)]

    def put(self, item: Item) -> None:
        """Make or replace an object."""
        self._now[item.key] = item

    def remove(self, item: Item) -> None:
        """Remove an object."""
        self._now.pop(item.key, None)

    @property
    def items(self) -> list[Item]:
        """All objects as they would be."""
        return list(self._now.values())

    def changes(self) -> list[Change]:
        """What differs, versions and times aside."""
        found: list[Change] = []
        for key in sorted(self._before.keys() | self._now.keys()):
            before, after = self._before.get(key), self._now.get(key)
            if before is None or after is None or _content(before) != _content(after):
                kind, org, name = key
                found.append(Change(kind=kind, org=org, name=name, before=before, after=after))
        return found


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a change. `number` is the newest revision; `behind` are gateways without it."""

    number: int
    changed: bool
    behind: list[str]


def _content(item: Item) -> tuple[object, ...]:
    return (item.team, item.managed_by, item.body)


_NOBODY = Item(kind="settings", name="", body={})


class ControlPlane:
    """The service behind the admin API, the commands and the file watch; safe to call from several threads."""

    def __init__(
        self,
        store: ControlStore,
        publisher: Publisher,
        secrets: Secrets,
        audit: AuditLog,
        gateways: Gateways,
        known: Path,
        now_ms: Callable[[], int],
        fleet: Fleet | None = None,
    ) -> None:
        """`fleet` is told of each snapshot, for machines without a control process of their own."""
        self._fleet = fleet
        self.store = store
        self.publisher = publisher
        self.secrets = secrets
        self.audit = audit
        self.gateways = gateways
        self.now_ms = now_ms
        self._known = known
        # What this machine's gateways do just now; None where there are none to ask.
        self.live: LiveGateways | None = None
        # Opens the ledger for who bills; None where there is none.
        self.metering: Callable[[], MeteringReader] | None = None
        # What the ledger knows of failover drills, the newest first; None where there is none.
        self.drilled: Callable[[], list[dict[str, Any]]] | None = None
        self._publishing = threading.Lock()
        self._published = 0
        self._own: list[Item] = []
        self._content = ""
        self._auth = Auth()
        self._snapshot: Snapshot | None = None

    def auth(self) -> Auth:
        """Who is let in, as published last."""
        return self._auth

    def document(self) -> Document:
        """What was published last."""
        return self._snapshot.document if self._snapshot is not None else Document()

    def reveal(self, secret: Secret) -> str:
        """A secret of what was published last. Raises Denied where it cannot be read any more."""
        try:
            return self.publisher.reveal(secret, self._snapshot)
        except SecretError as error:
            raise Denied("config_invalid", str(error)) from None

    # --- changes ----------------------------------------------------------------------------------------------

    def change(
        self,
        actor: Actor,
        edit: Callable[[Draft], T],
        *,
        reason: str = "",
        action: str = "",
        origin: Origin = "api",
        file: FileContent | None = None,
        wait_s: float = ACK_WAIT_S,
    ) -> tuple[T, Applied]:
        """Let `edit` change a draft; if it did, check it, record it, publish it and wait for the gateways.

        `action` is what the audit log calls it, instead of create, update and delete.

        Raises:
            Denied: `edit` refused, or the configuration would not be valid; nothing has changed.
            StoreError: the database cannot be reached; nothing has changed.
        """
        with self.store.writing() as writing:
            draft = Draft(writing.all_items(), self.now_ms())
            result = edit(draft)
            changes = draft.changes()
            number = writing.head()
            if file is not None:
                writing.keep_note(FILE_NOTE + file.digest, str(number + 1))
            if changes:
                snapshot = self.tried(draft.items)
                number += 1
                items = self._record(writing, number, changes, draft, actor, reason, origin, snapshot)
                self.audit.append(writing, actor, self._events(changes, number, reason, action))
            else:
                items = draft.items
                snapshot = None
        if not changes:
            if file is not None:
                self._keep(number, items, file.digest)
            return result, Applied(number=number, changed=False, behind=self.wait(number, wait_s))
        self._anchor()
        try:
            self._publish(number, items, snapshot, file)
        except (SnapshotError, OSError) as error:
            log.exception("revision %d is recorded and not published yet", number)
            raise Denied(
                "publish_failed", f"revision {number} is recorded and not published yet: {error}"
            ) from None
        return result, Applied(number=number, changed=True, behind=self.wait(number, wait_s))

    def tried(self, items: list[Item]) -> Snapshot:
        """What gateways would get, as long as it is valid. Raises Denied."""
        try:
            return self.publisher.snapshot(self.publisher.document([*items, *self._own]), self.now_ms())
        except ConfigError as error:
            raise invalid(error.problems) from None
        except (CompileError, SnapshotError) as error:
            raise Denied("config_invalid", str(error)) from None

    def _record(
        self,
        writing: Writing,
        number: int,
        changes: list[Change],
        draft: Draft,
        actor: Actor,
        reason: str,
        origin: Origin,
        snapshot: Snapshot,
    ) -> list[Item]:
        """Write the objects and the revision; returns all objects as they are now."""
        now = {item.key: item for item in draft.items}
        kept: list[Change] = []
        for change in changes:
            after = change.after
            if after is None:
                writing.remove(change.kind, change.org, change.name)
            else:
                created = change.before.created_ms if change.before is not None else draft.now_ms
                after = msgspec.structs.replace(
                    after, version=number, created_ms=created, updated_ms=draft.now_ms
                )
                writing.put(after)
                now[after.key] = after
            kept.append(msgspec.structs.replace(change, after=after))
        revision = Revision(
            number=number,
            created_ms=draft.now_ms,
            author=actor.name,
            origin=origin,
            reason=reason,
            content=snapshot.revision,
        )
        writing.add_revision(revision, kept)
        return list(now.values())

    def _events(self, changes: list[Change], number: int, reason: str, action: str) -> list[Event]:
        return [
            Event(
                action=action
                or ("create" if one.before is None else "delete" if one.after is None else "update"),
                kind=one.kind,
                org=one.org,
                team=(one.after or one.before or _NOBODY).team,
                name=one.name,
                before=self.secrets.audited(one.before),
                after=self.secrets.audited(one.after),
                revision=number,
                reason=reason,
            )
            for one in changes
        ]

    def note(self, actor: Actor, event: Event) -> None:
        """Write something down that changed nothing: a refusal, a failed login. Raises StoreError."""
        with self.store.writing() as writing:
            self.audit.append(writing, actor, [event])
        self._anchor()

    def _anchor(self) -> None:
        try:
            with self.store.reading() as reading:
                self.audit.anchored(reading)
        except OSError as error:
            log.warning("cannot write the audit log's anchor: %s", error)

    # --- the file ---------------------------------------------------------------------------------------------

    def take_file(self, *, wait_s: float = 0.0) -> Applied | None:
        """Make what stands in the file, if it is new here, part of the configuration; None where it is not.

        A file that was taken before by this machine is not taken again, so that it does not undo a rollback. A
        machine that has taken none yet takes one that no machine took before.

        Raises:
            ConfigError: the file is not valid.
            Denied: it is not valid together with the stored objects.
            StoreError: the database cannot be reached.
        """
        file = self.publisher.file()
        moved, self._own = file.own != self._own, file.own
        known = read_known(self._known)
        if known is not None and known.file == file.digest:
            if moved and self._published:
                # No revision: it is this machine's alone, and its next gateway takes it.
                self._published = 0
                self.catch_up()
            return None
        with self.store.reading() as reading:
            taken = reading.note(FILE_NOTE + file.digest)
            first = reading.head() == 0
        if known is None and taken is not None and not first:
            log.info(
                "the configuration file is one that was in force up to another revision; it is not taken again"
            )
            with self.store.reading() as reading:
                self._keep(reading.head(), reading.all_items(), file.digest)
            return None

        def edit(draft: Draft) -> None:
            before = {one.key: one for one in draft.items if one.managed_by != "api"}
            refuse_clashes(file.items, [one for one in draft.items if one.managed_by == "api"])
            for old in before.values():
                draft.remove(old)
            for new in file.items:
                draft.put(self.secrets.stored(new, before.get(new.key)))

        reason = "first configuration" if first else "the configuration file changed"
        _, applied = self.change(FILE, edit, reason=reason, origin="file", file=file, wait_s=wait_s)
        return applied

    # --- publishing -------------------------------------------------------------------------------------------

    def publish_again(self) -> None:
        """Publish what is in force once more: what it stands on outside the database may have changed."""
        if self._published:
            self._published, self._content = 0, ""
            self.catch_up()

    def catch_up(self) -> None:
        """Publish the newest revision where this machine has not; another machine may have made it.

        Raises StoreError, ConfigError, CompileError, SnapshotError, OSError.
        """
        with self.store.reading() as reading:
            head = reading.head()
            if head == self._published:
                return
            items = reading.all_items()
        self._publish(head, items, None, None)

    def _publish(
        self, number: int, items: list[Item], snapshot: Snapshot | None, file: FileContent | None
    ) -> None:
        with self._publishing:
            if number <= self._published:
                return  # somebody was faster, with a newer revision
            if snapshot is None:
                document = self.publisher.document([*items, *self._own])
                snapshot = self.publisher.snapshot(document, self.now_ms())
            if snapshot.revision != self._content:
                self.publisher.write(snapshot)
                self._content = snapshot.revision
                log.info("published revision %d (%s)", number, snapshot.revision)
            self._published = number
            self._auth, self._snapshot = snapshot.document.auth, snapshot
            self.gateways.published(snapshot.revision, number)
            if self._fleet is not None:
                self._fleet.publish(snapshot, number)
            self._keep(number, items, file.digest if file is not None else None)

    def in_force(self, content: str) -> None:
        """What the snapshot that gateways have now is, so that the same is not published again."""
        self._content = content

    def _keep(self, number: int, items: list[Item], file: str | None) -> None:
        known = read_known(self._known)
        digest = file if file is not None else known.file if known is not None else ""
        write_known(self._known, Known(number=number, file=digest, items=items))

    def wait(self, number: int, wait_s: float) -> list[str]:
        """The gateways that do not serve the revision after at most this time."""
        deadline = time.monotonic() + wait_s
        while True:
            behind = self.gateways.behind(number, self.now_ms())
            if not behind or time.monotonic() >= deadline:
                return behind
            time.sleep(ACK_POLL_S)

    def say_served(self) -> None:
        """Tell other machines what this one's gateways serve. Raises StoreError."""
        now = self.now_ms()
        mine = self.gateways.mine(now)
        with self.store.writing() as writing:
            writing.say_served(mine, now - FORGET_SERVED_MS)


def heard_of(store: ControlStore, now_ms: Callable[[], int]) -> list[Served]:
    """What all machines' gateways serve, as far as they were heard of lately."""
    with store.reading() as reading:
        return reading.served(now_ms() - HEARD_WITHIN_MS)
