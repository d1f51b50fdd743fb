"""Sealing and the master key."""

from __future__ import annotations

import base64
import stat
import threading
from pathlib import Path

import pytest

from penstock.adapters.secrets.aesgcm import AesGcmBox
from penstock.adapters.secrets.master import LocalMaster, master_of
from penstock.ports.kms import KmsError
from penstock.ports.secrets import UnsealError

KEY = bytes(range(32))


def master_key(env: dict[str, str], state: Path) -> str:
    """The name of the master key in force: it changes with the key."""
    return master_of(env, state).id


def test_sealing_hides_and_comes_back() -> None:
    """Two boxes of one value differ, and both open."""
    box = AesGcmBox(KEY)
    first, second = box.seal(b"value"), box.seal(b"value")
    assert first != second
    assert b"value" not in first
    assert box.unseal(first) == box.unseal(second) == b"value"


def test_changed_boxes_do_not_open() -> None:
    """Any changed or missing byte, and any other key, is an UnsealError."""
    box = AesGcmBox(KEY)
    sealed = box.seal(b"value")
    broken = [sealed[:cut] for cut in range(len(sealed))]
    broken += [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))]
    for data in broken:
        with pytest.raises(UnsealError):
            box.unseal(data)
    with pytest.raises(UnsealError):
        AesGcmBox(bytes(32)).unseal(sealed)


@pytest.mark.parametrize("text", [KEY.hex(), base64.b64encode(KEY).decode(), f" {KEY.hex()}\n"])
def test_the_variable_wins(text: str, tmp_path: Path) -> None:
    """PENSTOCK_MASTER_KEY may be hex or base64; no file is made then."""
    assert master_key({"PENSTOCK_MASTER_KEY": text}, tmp_path) == LocalMaster(KEY).id
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["short", "zz" * 32, base64.b64encode(b"x").decode()])
def test_a_malformed_key_is_refused_without_showing_it(text: str, tmp_path: Path) -> None:
    """The message says where the key came from and how to write one."""
    with pytest.raises(KmsError, match="PENSTOCK_MASTER_KEY is not a master key") as caught:
        master_key({"PENSTOCK_MASTER_KEY": text}, tmp_path)
    assert text not in str(caught.value)


def test_a_missing_file_is_made_for_the_owner_alone(tmp_path: Path) -> None:
    """The second start reads the same key."""
    state = tmp_path / "state"
    key = master_key({}, state)
    assert len(base64.b64decode((state / "master.key").read_text())) == 32
    assert master_key({}, state) == key
    assert stat.S_IMODE((state / "master.key").stat().st_mode) == 0o600
    assert [path.name for path in state.iterdir()] == ["master.key"]


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    """Whoever comes second uses the key of the first."""
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(master_key({}, tmp_path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(keys), len(set(keys))) == (8, 1)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_may_read_is_refused(mode: int, tmp_path: Path) -> None:
    """The message says what to run."""
    master_key({}, tmp_path)
    (tmp_path / "master.key").chmod(mode)
    with pytest.raises(KmsError, match="run chmod 600"):
        master_key({}, tmp_path)


def test_a_damaged_key_file_is_refused(tmp_path: Path) -> None:
    """An emptied file is never taken for a key, and never replaced: sealed values would be lost."""
    path = tmp_path / "master.key"
    path.touch(mode=0o600)
    with pytest.raises(KmsError, match="not a master key"):
        master_key({}, tmp_path)
    assert path.read_bytes() == b""


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    """A file where the directory should be is one clear sentence."""
    (tmp_path / "state").write_text("")
    with pytest.raises(KmsError, match=r"Not a directory|File exists"):
        master_key({}, tmp_path / "state")
