"""Data keys, the master key around them, and rotations that are broken off anywhere."""

from __future__ import annotations

import base64
import contextlib
import json
import stat
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.adapters.secrets.aesgcm import AesGcmBox
from penstock.adapters.secrets.keyring import FIRST, Keyring, PurposeBox, Ring, sealed_by, write_ring
from penstock.adapters.secrets.master import LocalMaster, file_master, master_from, master_of
from penstock.adapters.secrets.rotation import Rotation
from penstock.ports.kms import KmsError
from penstock.ports.secrets import UnsealError

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def ring_of(folder: Path, env: Mapping[str, str] | None = None) -> Keyring:
    """The keyring as a process that has just started sees it."""
    return Keyring(folder, lambda: master_of(env or {}, folder), lambda: 1_790_000_000_000)


def box_of(folder: Path, env: Mapping[str, str] | None = None, purpose: str = "snapshot") -> PurposeBox:
    """A box of a process that has just started."""
    return PurposeBox(ring_of(folder, env), purpose)


def text(key: bytes) -> str:
    """A key as a variable holds it."""
    return base64.b64encode(key).decode()


def test_a_value_names_its_key_and_opens_for_its_purpose_alone(tmp_path: Path) -> None:
    """Another purpose, another ring, any changed byte is an error; the keys stand wrapped in a private file."""
    box = box_of(tmp_path)
    sealed = box.seal(b"value")
    path = tmp_path / "keyring.json"
    assert sealed_by(sealed) == json.loads(path.read_text())["active"]
    assert box_of(tmp_path).unseal(sealed) == b"value"
    assert sealed != box.seal(b"value")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    broken = [sealed[:cut] for cut in range(len(sealed))]
    broken += [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))]
    for data in broken:
        with pytest.raises(UnsealError):
            box.unseal(data)
    with pytest.raises(UnsealError, match="another purpose"):
        box_of(tmp_path, purpose="videos").unseal(sealed)


@settings(deadline=None, max_examples=25)
@given(values=st.lists(st.binary(max_size=50), max_size=5), plan=st.lists(st.sampled_from("dm"), max_size=5))
def test_everything_stays_readable_over_any_rotations(
    tmp_path_factory: pytest.TempPathFactory, values: list[bytes], plan: list[str]
) -> None:
    """In any order of new data keys and new master keys, a process from before and one from after read all."""
    folder = tmp_path_factory.mktemp("ring")
    early = box_of(folder)
    sealed = [early.seal(value) for value in values]
    for step in plan:
        ring_of(folder).active()
        rotation = Rotation(folder)
        if step == "d":
            rotation.add_data_key(file_master(folder), 0)
        else:
            rotation.change_file_master()
        sealed += [early.seal(value) for value in values]
    late = box_of(folder)
    for box in (early, late):
        assert [box.unseal(each) for each in sealed] == values * (len(plan) + 1)


class CutShortError(Exception):
    """The process ended here."""


class Cut:
    """Writes the keyring until the n-th time, at which the process ends before or after the write."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.left = at
        self.after = after

    def __call__(self, path: Path, ring: Ring) -> None:
        self.left -= 1
        if self.left or self.after:
            write_ring(path, ring)
        if not self.left:
            raise CutShortError


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("what", ["data", "master"])
def test_a_rotation_that_is_cut_short_leaves_everything_readable(
    tmp_path: Path, what: str, at: int, *, after: bool
) -> None:
    """At each write, before or after it: old values open, new ones are sealed, the next rotation works."""
    sealed = box_of(tmp_path).seal(b"value")
    rotation = Rotation(tmp_path, Cut(at, after=after))
    with contextlib.suppress(CutShortError):
        if what == "data":
            rotation.add_data_key(file_master(tmp_path), 0)
        else:
            rotation.change_file_master()
    now = box_of(tmp_path)
    assert now.unseal(sealed) == b"value"
    again = now.seal(b"more")
    Rotation(tmp_path).change_file_master()
    Rotation(tmp_path).add_data_key(file_master(tmp_path), 0)
    after_all = box_of(tmp_path)
    assert (after_all.unseal(sealed), after_all.unseal(again)) == (b"value", b"more")
    ring = Rotation(tmp_path).ring()
    assert {name for key in ring.keys for name in key.wrapped} == {file_master(tmp_path).id}


def test_a_master_key_of_the_environment_changes_over(tmp_path: Path) -> None:
    """Until `retire` processes with the old and the new key read all; afterwards only the new one opens."""
    before, later = {"PENSTOCK_MASTER_KEY": text(OLD)}, {"PENSTOCK_MASTER_KEY": text(NEW)}
    running = box_of(tmp_path, before)
    sealed = running.seal(b"value")
    rotation = Rotation(tmp_path)
    rotation.change_master(LocalMaster(OLD), LocalMaster(NEW))
    assert box_of(tmp_path, before).unseal(sealed) == box_of(tmp_path, later).unseal(sealed) == b"value"
    assert rotation.retire(LocalMaster(NEW)) == [LocalMaster(OLD).id]
    assert running.unseal(running.seal(b"still")) == b"still"
    assert box_of(tmp_path, later).unseal(sealed) == b"value"
    with pytest.raises(KmsError, match="set the master key that is in force"):
        box_of(tmp_path, before).unseal(sealed)
    with pytest.raises(KmsError, match="run `penstock secrets rotate --master` first"):
        rotation.retire(LocalMaster(OLD))
    assert not (tmp_path / "master.key").exists()


def test_values_from_before_data_keys_stay_readable(tmp_path: Path) -> None:
    """What the master key sealed by itself opens before there is a keyring, with it, and after rotations."""
    env = {"PENSTOCK_MASTER_KEY": text(OLD)}
    sealed = AesGcmBox(OLD).seal(b"value")
    (tmp_path / "snapshot").write_bytes(b"of an earlier version")
    assert sealed_by(sealed) == FIRST
    assert box_of(tmp_path, env).unseal(sealed) == b"value"
    box_of(tmp_path, env).seal(b"makes the ring")
    assert box_of(tmp_path, env).unseal(sealed) == b"value"
    Rotation(tmp_path).change_master(LocalMaster(OLD), LocalMaster(NEW))
    Rotation(tmp_path).retire(LocalMaster(NEW))
    assert box_of(tmp_path, {"PENSTOCK_MASTER_KEY": text(NEW)}).unseal(sealed) == b"value"


def test_a_new_installation_trusts_no_value_from_before(tmp_path: Path) -> None:
    """Where nothing was there the ring has one random key, and the master key opens nothing by itself."""
    env = {"PENSTOCK_MASTER_KEY": text(OLD)}
    box = box_of(tmp_path, env)
    box.seal(b"x")
    assert len(Rotation(tmp_path).ring().keys) == 1
    with pytest.raises(UnsealError, match="restore that file"):
        box.unseal(AesGcmBox(OLD).seal(b"value"))


def test_processes_that_start_together_agree_on_one_ring(tmp_path: Path) -> None:
    """Eight at once seal, and each opens what the others sealed."""
    sealed: list[bytes] = []
    threads = [threading.Thread(target=lambda: sealed.append(box_of(tmp_path).seal(b"v"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({sealed_by(each) for each in sealed}) == 1
    assert {box_of(tmp_path).unseal(each) for each in sealed} == {b"v"}


def test_a_key_that_is_forgotten_opens_nothing(tmp_path: Path) -> None:
    """Its values are gone, and the message says where the key would have to be; the active key cannot go."""
    first = sealed_by(box_of(tmp_path).seal(b"earlier"))
    rotation = Rotation(tmp_path)
    rotation.add_data_key(file_master(tmp_path), 0)
    sealed = box_of(tmp_path).seal(b"value")
    active = rotation.add_data_key(file_master(tmp_path), 0)
    rotation.forget({first, sealed_by(sealed), active})
    assert [key.id for key in rotation.ring().keys] == [active]
    with pytest.raises(UnsealError, match=r"restore that file"):
        box_of(tmp_path).unseal(sealed)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"active": "a", "keys": []}', b'{"format": 2}'])
def test_a_damaged_ring_is_never_replaced(tmp_path: Path, content: bytes) -> None:
    """Neither sealing nor rotating writes over a keyring that cannot be read: a backup may still save it."""
    path = tmp_path / "keyring.json"
    path.write_bytes(content)
    with pytest.raises(KmsError, match=r"keyring\.json"):
        box_of(tmp_path).seal(b"x")
    with pytest.raises(KmsError, match=r"keyring\.json"):
        Rotation(tmp_path).add_data_key(LocalMaster(OLD), 0)
    assert path.read_bytes() == content


def test_where_the_master_key_may_come_from(tmp_path: Path) -> None:
    """A variable, a mounted file that its group may read, a key store; two at once, or a wrong one, not."""
    mounted = tmp_path / "mounted"
    mounted.write_text(text(OLD))
    mounted.chmod(0o440)
    from_file = master_from({"PENSTOCK_MASTER_KEY_FILE": str(mounted)})
    assert from_file is not None
    assert from_file.id == LocalMaster(OLD).id
    assert master_from({}) is None
    mounted.chmod(0o444)
    wrong = [
        ({"PENSTOCK_MASTER_KEY_FILE": str(mounted)}, "open to other users"),
        ({"PENSTOCK_MASTER_KEY_FILE": str(tmp_path / "none")}, "No such file"),
        ({"PENSTOCK_MASTER_KEY": text(OLD), "PENSTOCK_KMS": "vault:a/b"}, "both set; keep one"),
        ({"PENSTOCK_KMS": "other:a/b"}, "write vault:MOUNT/KEY"),
    ]
    for env, said in wrong:
        with pytest.raises(KmsError, match=said):
            master_from(env)


def test_no_repr_shows_a_key(tmp_path: Path) -> None:
    """Neither boxes, rings nor master keys, and not what an error of theirs says."""
    box = box_of(tmp_path, {"PENSTOCK_MASTER_KEY": text(OLD)})
    box.seal(b"v")
    shown = f"{box!r} {LocalMaster(OLD)!r} {vars(LocalMaster(OLD)).keys()} {Rotation(tmp_path).ring()!r}"
    assert text(OLD) not in shown
    assert OLD.hex() not in shown
