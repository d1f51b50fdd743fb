"""Nothing in the repository depends on the machine, the network or the tools of whoever wrote it."""

from __future__ import annotations

import re

from tests.architecture.sources import text_files

# Absolute paths below a home or a working folder. `/root/` and the like may stand inside a longer path or URL.
_MACHINE_PATH = re.compile(
    r"""(?<![\w.}\-/:*])/(?:home/[a-z_][\w-]*|Users/[A-Za-z][\w-]*|root|work|workspace|mnt)/(?=\w)"""
)
_INDEX = re.compile(
    r"--(?:extra-)?index-url[ =]\S+|^\s*registry\s*=\s*\S+|\"resolved\":\s*\"https?://(?!registry\.npmjs\.org/)",
    re.MULTILINE,
)
_PRIVATE_HOST = re.compile(r"https?://(?:10\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+[:/]")


def _found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}: {found[0]}"
        for name, text in text_files()
        if not name.endswith("test_neutral.py")
        for found in pattern.finditer(text)
    ]


def test_no_file_names_a_path_of_one_machine() -> None:
    """A clone works wherever it lies."""
    assert _found(_MACHINE_PATH) == []


def test_no_file_names_a_package_index() -> None:
    """Packages come from the index that the reader's own tools use; hashes say that they are the same."""
    assert _found(_INDEX) == []


def test_no_file_names_an_address_of_a_private_network() -> None:
    """Examples use loopback or names reserved for documentation; anything else is somebody's machine."""
    allowed = re.compile(r"^tests/|/ssrf|^src/penstock/config/")
    assert [each for each in _found(_PRIVATE_HOST) if not allowed.search(each)] == []
