"""Vault's Transit engine as the key store: the master key never leaves Vault.

https://developer.hashicorp.com/vault/api-docs/secret/transit
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Mapping

from penstock.adapters.secrets.vault import VaultClient, VaultPlace, object_of
from penstock.ports.kms import KmsError
from penstock.ports.secrets import FetchError


class TransitMaster:
    """A `ports.kms.Kms`.

    A data key's name is bound to it by being wrapped with it: Transit has no field for that.
    """

    def __init__(self, client: VaultClient, place: str) -> None:
        """`place` is `MOUNT/KEY`."""
        self._client = client
        self._mount, _, self._key = place.rpartition("/")
        self.id = f"vault:{place}"

    def wrap(self, data_key: bytes, name: str) -> bytes:
        """See ports.kms."""
        plain = base64.b64encode(name.encode() + b"\0" + data_key).decode()
        return self._ask("encrypt", {"plaintext": plain}, "ciphertext").encode()

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """See ports.kms."""
        text = self._ask("decrypt", {"ciphertext": wrapped.decode("ascii", "replace")}, "plaintext")
        try:
            bound, _, data_key = base64.b64decode(text, validate=True).partition(b"\0")
        except binascii.Error:
            raise KmsError(f"{self.id}: the answer is not base64") from None
        if bound != name.encode():
            raise KmsError(f"data key {name} stands under another's name in the keyring; restore keyring.json")
        return data_key

    def _ask(self, what: str, body: Mapping[str, str], wanted: str) -> str:
        try:
            answer = self._client.call("POST", f"{self._mount}/{what}/{self._key}", body)
        except FetchError as error:
            raise KmsError(f"{self.id}: {error}") from None
        text = object_of(answer.get("data")).get(wanted)
        if not isinstance(text, str):
            raise KmsError(f"{self.id}: the answer has no {wanted}")
        return text


def transit_from(place: str, env: Mapping[str, str]) -> TransitMaster:
    """The key `MOUNT/KEY` in the Vault of the environment: the snapshot, sealed, cannot say where it is.

    Raises:
        KmsError: VAULT_ADDR, or what logs in, is missing.
    """
    if not env.get("VAULT_ADDR"):
        raise KmsError("the master key is in Vault, and VAULT_ADDR is not set")
    vault = VaultPlace(
        address=env["VAULT_ADDR"],
        namespace=env.get("VAULT_NAMESPACE", ""),
        token=env.get("VAULT_TOKEN", ""),
        role_id=env.get("VAULT_ROLE_ID", ""),
        secret_id=env.get("VAULT_SECRET_ID", ""),
        ca_file=env.get("VAULT_CACERT", ""),
    )
    return TransitMaster(VaultClient(vault, time.monotonic), place)
