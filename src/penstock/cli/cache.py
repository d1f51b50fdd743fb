"""`penstock cache`: answers that are used again, and prompts that vendors keep."""

from __future__ import annotations

import click

from penstock.cli.cache_diff import diff


@click.group()
def cache() -> None:
    """Look at caches: of answers here, of prompts at vendors."""


cache.add_command(diff)
