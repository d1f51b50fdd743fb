"""`penstock cache`: answers that are used again, and prompts that vendors keep."""

from __future__ import annotations

import click

from penstock.cli.cache_diff import diff
from penstock.cli.cache_tune import tune
from penstock.cli.kept_answers import purge, stats


@click.group()
def cache() -> None:
    """Look at caches, and clear them: of answers here, of prompts at vendors."""


cache.add_command(diff)
cache.add_command(stats)
cache.add_command(purge)
cache.add_command(tune)
