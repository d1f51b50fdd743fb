"""The `penstock` command. Each subcommand is imported when it is called, so that `--help` is quick."""

from __future__ import annotations

import importlib

import click

_COMMANDS = {
    "serve": ("penstock.cli.serve", "serve", "Start the gateway with everything it needs."),
    "check": ("penstock.cli.check", "check", "Say whether a configuration file is valid, and what is wrong."),
    "keys": ("penstock.cli.keys", "keys", "Make, list, rotate and revoke virtual keys."),
    "config": ("penstock.cli.config", "config", "Show, compare, apply and take back configuration."),
    "orgs": ("penstock.cli.tenants", "orgs", "Manage organisations."),
    "teams": ("penstock.cli.tenants", "teams", "Manage teams."),
    "users": ("penstock.cli.tenants", "users", "Manage users."),
    "service-accounts": ("penstock.cli.tenants", "service_accounts", "Manage service accounts."),
    "roles": ("penstock.cli.tenants", "roles", "Manage role bindings."),
    "throttles": ("penstock.cli.tenants", "throttles", "Bind users and keys more tightly for a while."),
    "exchanges": ("penstock.cli.exchanges", "exchanges", "List and stop requests that are under way."),
    "audit": ("penstock.cli.audit", "audit", "Read, verify and export the audit log."),
    "route": ("penstock.cli.route", "route", "Look at routes: how targets do, training, tuning."),
    "drill": ("penstock.cli.drill", "drill", "Try a route's fallback on a share of live traffic."),
    "cache": ("penstock.cli.cache", "cache", "Look at caches: of answers here, of prompts at vendors."),
    "guard": ("penstock.cli.guard", "guard", "List guards, and measure them on labelled cases."),
    "embedder": ("penstock.cli.embedder", "embedder", "Install what learned routers look at prompts with."),
    "simulate": ("penstock.cli.simulate", "simulate", "Start an upstream without a model."),
    "logs": ("penstock.cli.logs", "logs", "Show requests from the ledger."),
    "top": ("penstock.cli.top", "top", "Show what is busy, slow or dear right now."),
    "cost": ("penstock.cli.cost", "cost", "Add up cost by route, model, key, team or tag."),
    "lcpr": ("penstock.cli.lcpr", "lcpr", "Work out what a successful answer really costs."),
    "metering": ("penstock.cli.metering", "metering", "Export what is billed, for other systems."),
    "alerts": ("penstock.cli.alerts", "alerts", "Show alerts, and try webhooks out."),
    "secrets": ("penstock.cli.secrets", "secrets", "Rotate the keys that stored secrets are sealed with."),
    "ledger": ("penstock.cli.ledger", "ledger", "Make the ledger anew from the journal."),
}


class _Lazy(click.Group):
    """A group that imports a subcommand when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of a first day with the product."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return."""
        del ctx
        found = _COMMANDS.get(cmd_name)
        if found is None:
            return None
        module, name, _ = found
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and sentences, without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _COMMANDS.items()])


@click.group(cls=_Lazy)
@click.version_option(package_name="penstock")
def main() -> None:
    """The gate between applications and every large language model they use."""
