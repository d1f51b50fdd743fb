"""A secret value in the configuration: kept as a reference for as long as possible, never shown."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, cast

import msgspec

SecretKind = Literal["template", "sealed", "sha256"]

# One reference: ${NAME}, ${NAME:-default}, ${env:NAME}, ${env:NAME:-default}, ${file:/path} or
# ${vault:MOUNT/data/PATH#FIELD}; "$${" is a literal "${".
REFERENCE = re.compile(
    r"(?P<escape>\$\$\{)"
    r"|\$\{(?:file:(?P<file>[^}\n]+)|vault:(?P<vault>[^}#\n]+#[^}#\n]+)"
    r"|(?:env:)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}\n]*))?)\}"
)
# A secret of which only the SHA-256 is said; enough for virtual keys.
HASHED = re.compile(r"\$\{sha256:([0-9a-f]{64})\}")
HIDDEN = "********"
# Before a place in Vault; the name under which an environment holds what control fetched from it.
VAULT = "vault:"


class SecretError(Exception):
    """A secret cannot be resolved; the message names the variable or file, never the value."""


def read_secret_file(path: str) -> str:
    """The text of a secret file without its last line break.

    Raises:
        SecretError: the file is missing, unreadable or not text.
    """
    try:
        return Path(path).read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise SecretError(f"secret file {path}: {reason}") from None


class Secret:
    """A credential whose value never appears in repr, str, JSON or a traceback of ours.

    A *template* holds text with references (`${NAME}`, `${NAME:-default}`, `${file:/path}`, `${vault:…}`) or
    the value itself; a *sealed* one holds bytes that only a data key opens; a *sha256* one can be
    compared with but not read, which is all that a virtual key needs.
    """

    __slots__ = ("_kind", "_value")

    def __init__(self, kind: SecretKind, value: str | bytes) -> None:
        self._kind: SecretKind = kind
        self._value = value

    @classmethod
    def template(cls, text: str) -> Secret:
        """What stands in the configuration file: references, a literal value, or a mixture."""
        return cls("template", text)

    @classmethod
    def literal(cls, value: str) -> Secret:
        """Exactly this value; nothing in it is a reference."""
        return cls("template", value.replace("${", "$${"))

    @classmethod
    def sealed(cls, box: bytes) -> Secret:
        """An encrypted value, as a snapshot stores it."""
        return cls("sealed", box)

    @classmethod
    def hashed(cls, sha256_hex: str) -> Secret:
        """A value known only by its SHA-256, in lower-case hex."""
        return cls("sha256", sha256_hex)

    @property
    def kind(self) -> SecretKind:
        """How the value is held."""
        return self._kind

    @property
    def files(self) -> frozenset[str]:
        """The files that it names."""
        return frozenset(match["file"] for match in self._matches() if match["file"])

    @property
    def vault_places(self) -> frozenset[str]:
        """The places in Vault that it names, as `MOUNT/data/PATH#FIELD`."""
        return frozenset(match["vault"] for match in self._matches() if match["vault"])

    def _matches(self) -> Iterator[re.Match[str]]:
        return REFERENCE.finditer(str(self._value)) if self._kind == "template" else iter(())

    @property
    def is_reference(self) -> bool:
        """Whether all of it is one reference without a default: such a text gives nothing away."""
        if self._kind != "template":
            return False
        match = REFERENCE.fullmatch(str(self._value))
        return match is not None and not match["escape"] and match["default"] is None

    def stored(self) -> str | bytes:
        """The text, box or hash as held; for the snapshot's codec only."""
        return self._value

    def resolve(
        self, env: Mapping[str, str], read: Callable[[str], str] = read_secret_file, *, lines: bool = False
    ) -> str:
        """The value itself, references replaced; `lines`: it may have several, as a key file has.

        Raises:
            SecretError: a variable or file is missing or empty, the value has control characters, or it is
            sealed or only a hash.
        """
        if self._kind == "sealed":
            raise SecretError("this secret is sealed; open it with the master key first")
        if self._kind == "sha256":
            raise SecretError("this secret is known only by its hash; use sha256()")
        value = REFERENCE.sub(lambda match: _replacement(match, env, read), str(self._value))
        if not value:
            raise SecretError("this secret is empty")
        if not lines and not value.isprintable():
            # It goes into a header line, where a line break would begin another one.
            raise SecretError("this secret has a line break or another control character")
        return value

    def sha256(self, env: Mapping[str, str], read: Callable[[str], str] = read_secret_file) -> str:
        """The SHA-256 of the value in lower-case hex.

        Raises:
            SecretError: as `resolve`, except that a hashed secret is fine.
        """
        if self._kind == "sha256":
            return str(self._value)
        return hashlib.sha256(self.resolve(env, read).encode()).hexdigest()

    def shown(self) -> str:
        """What may be shown to people: a reference as written, anything else hidden."""
        return str(self._value) if self.is_reference else HIDDEN

    def __repr__(self) -> str:
        return f"Secret({self.shown()})"

    __str__ = shown

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self._kind, self._value) == (other._kind, other._value)

    def __hash__(self) -> int:
        return hash((self._kind, self._value))


def shown(value: object) -> str:
    """An `enc_hook` for msgspec that writes configuration for people: secrets as `Secret.shown`.

    Raises:
        NotImplementedError: for any other type, as msgspec expects.
    """
    if isinstance(value, Secret):
        return value.shown()
    raise NotImplementedError(f"{type(value).__name__} has no place in a configuration document")


def _replacement(match: re.Match[str], env: Mapping[str, str], read: Callable[[str], str]) -> str:
    if match["escape"]:
        return "${"
    if match["file"]:
        return read(match["file"])
    if match["vault"]:
        fetched = env.get(VAULT + match["vault"])
        if fetched is None:
            raise SecretError(f"{match[0]} has not been fetched; control does that when it publishes")
        return fetched
    value = env.get(match["name"]) or match["default"]
    if value is None:
        raise SecretError(f"environment variable {match['name']} is not set")
    return value


def secrets_in(value: object) -> Iterator[Secret]:
    """Every secret in a document, or in a part of one."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from secrets_in(getattr(value, name))
    elif isinstance(value, dict):
        for each in cast("dict[object, object]", value).values():
            yield from secrets_in(each)
    elif isinstance(value, tuple):
        for each in cast("tuple[object, ...]", value):
            yield from secrets_in(each)
