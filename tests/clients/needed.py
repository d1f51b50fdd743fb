"""Tools that tests need beyond Python packages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.test_tools import TOOLS


def needed(name: str) -> Path:
    """The folder of a tool. Skips the test where it is not set up, and fails it in CI."""
    tool = TOOLS[name]
    if not tool.ready:
        reason = f"{tool.what} is not set up: run `python scripts/test_tools.py {name}`"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return tool.folder
