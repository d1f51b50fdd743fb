"""Secrets in stored bodies: sealed when they come in, fingerprints when they are shown."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import cast

import msgspec

from penstock.config.merge import LITERAL, PREVIOUS, SECRET_HASH, type_of
from penstock.config.source import FINGERPRINT, SEALED, Json, is_hidden, map_secrets, sealed, shown
from penstock.control.problems import Denied
from penstock.ports.control_store import ControlStore, Item
from penstock.ports.secrets import SecretBox

_NOTE = "fingerprint.key"


class Secrets:
    """Seals and fingerprints with keys of one installation.

    A fingerprint is a keyed digest, cut short: it tells whether two secrets are the same, and cannot be
    searched for without the master key.
    """

    def __init__(self, box: SecretBox) -> None:
        self._box = box
        self._key = b""

    def prepare(self, store: ControlStore) -> None:
        """Take the key of fingerprints, made at the first start. Raises StoreError, UnsealError."""
        with store.writing() as writing:
            noted = writing.note(_NOTE)
            if noted is None:
                noted = base64.b64encode(self._box.seal(secrets.token_bytes(32))).decode()
                writing.keep_note(_NOTE, noted)
        self._key = self._box.unseal(base64.b64decode(noted))

    def fingerprint(self, plain: bytes) -> str:
        """Twelve hex digits."""
        return hmac.new(self._key, plain, hashlib.sha256).hexdigest()[:12]

    def stored(self, item: Item, before: Item | None = None) -> Item:
        """The item with its secrets sealed.

        What a client gives back as it was shown, and a literal that is the same as before, stays what it was.
        Raises Denied where a hidden secret has none before it.
        """
        kind = type_of(item)
        if kind is None:
            return item
        earlier: list[Json] = []
        if before is not None:
            map_secrets(_body(before), kind, lambda value: earlier.append(value) or value)
        by_shown = {shown(value): value for value in earlier}

        def seal(value: Json) -> Json:
            if not isinstance(value, str):
                return value
            if is_hidden(value):
                if value not in by_shown:
                    raise Denied(
                        "config_invalid", "a hidden secret is no secret: write its value or a reference"
                    )
                return by_shown[value]
            # A tenant's text is no reference, not even where it looks like one.
            plain = value.replace("${", "$${") if item.managed_by == "api" and item.kind in LITERAL else value
            new = sealed(plain, self._box.seal, self.fingerprint)
            # Sealing twice gives different bytes, which would look like a change.
            return by_shown.get(shown(new), new) if isinstance(new, dict) else new

        return msgspec.structs.replace(item, body=_with_body(item, map_secrets(_body(item), kind, seal)))

    def shown(self, item: Item) -> dict[str, Json]:
        """The item's body as people may see it, without what only control knows."""
        kind = type_of(item)
        body = _body(item)
        body = map_secrets(body, kind, shown) if kind is not None else body
        if not isinstance(body, dict):
            return {"value": body}
        known = cast("dict[str, Json]", body)
        return {name: value for name, value in known.items() if not name.startswith("$")}

    def audited(self, item: Item | None) -> dict[str, Json] | None:
        """The whole item for the audit log and for differences: its secrets as fingerprints."""
        if item is None:
            return None
        known: dict[str, Json] = {
            name.removeprefix("$"): value
            for name, value in item.body.items()
            if name.startswith("$") and name not in {SECRET_HASH, PREVIOUS}
        }
        if SECRET_HASH in item.body:
            known["secret"] = shown(f"${{sha256:{item.body[SECRET_HASH]}}}")
        if item.body.get(PREVIOUS):
            known["previous"] = [
                {"secret": shown(f"${{sha256:{one['sha256']}}}"), "until": one["until"]}
                for one in item.body[PREVIOUS]
            ]
        return {"managed_by": item.managed_by, **self.shown(item), **known}

    def unseal(self, boxed: bytes) -> bytes:
        """See ports.secrets."""
        return self._box.unseal(boxed)


def refuse_reserved(body: Json, path: str = "") -> None:
    """Sealed forms come from the store alone. Raises Denied."""
    if isinstance(body, dict):
        for name, value in cast("dict[str, Json]", body).items():
            at = f"{path}.{name}" if path else name
            if name in {SEALED, FINGERPRINT} or (not path and name.startswith("$")):
                raise Denied("config_invalid", f"{at}: names that begin with $ are not yours to set here")
            refuse_reserved(value, at)
    elif isinstance(body, list):
        for value in cast("list[Json]", body):
            refuse_reserved(value, path or "[]")


def _body(item: Item) -> Json:
    return item.body["value"] if item.kind == "settings" else item.body


def _with_body(item: Item, body: Json) -> dict[str, Json]:
    return {"value": body} if item.kind == "settings" else body
