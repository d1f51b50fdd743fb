"""The vendors' libraries, which are there only where somebody installed the extra."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class NoCredentialError(Exception):
    """A credential cannot be had. The text is ours: no secret, and nothing that a vendor said, is in it."""


def library(module: str, extra: str) -> Any:
    """A module of a vendor's library. Raises NoCredentialError, which says how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        name = module.partition(".")[0] if extra == "aws" else "google-auth"
        raise NoCredentialError(f"{name} is not installed; pip install 'penstock[{extra}]'") from error
