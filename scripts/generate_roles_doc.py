"""Write the table of roles into docs/tenancy.md from core/permissions."""

from __future__ import annotations

import sys
from pathlib import Path

from penstock.core.permissions import (
    OF_INSTALLATION,
    ROLES,
    Action,
    Grant,
    Place,
    Principal,
    Resource,
    Target,
    allows,
)

DOCS_FILE = Path(__file__).resolve().parent.parent / "docs" / "tenancy.md"
BEGIN = "<!-- Made from src/penstock/core/permissions.py by scripts/generate_roles_doc.py. -->\n"
END = "<!-- End of the table of roles. -->\n"
RESOURCES: tuple[Resource, ...] = (
    "org", "team", "user", "service_account", "role_binding", "key", "audit", "provider", "deployment", "guard",
    "route", "settings", "revision", "exchange", "metering", "throttle",
)  # fmt: skip
ACTIONS: tuple[tuple[Action, str], ...] = (("read", "r"), ("write", "w"), ("delete", "d"))
PLACES = {"installation": Place(), "organisation": Place("o"), "team": Place("o", "t")}


def cell(place: Place, role: str, resource: Resource) -> str:
    """What a role at a place may do to an object of this kind that lies there."""
    grants = tuple(Grant(one, place) for one in ROLES if one == role)
    principal = Principal("user", "user:o/u", grants, place.org, "u")
    where = Place() if resource in OF_INSTALLATION else Place("o", "t" if resource != "org" else "")
    told = "".join(letter for action, letter in ACTIONS if allows(principal, action, Target(resource, where)))
    own = "".join(
        letter
        for action, letter in ACTIONS
        if allows(principal, action, Target(resource, where, principal.user))
    )
    extra = f" (own: {own})" if own != told and resource in ("key", "exchange") and place.org else ""
    return (told or "-") + extra


def roles_text() -> str:
    """One row for each place and role."""
    names = [resource.replace("_", " ") for resource in RESOURCES]
    lines = [f"| role at | role | {' | '.join(names)} |", f"|---|---|{'---|' * len(names)}"]
    for where, place in PLACES.items():
        for role in ROLES:
            cells = [cell(place, role, resource) for resource in RESOURCES]
            lines.append(f"| {where} | `{role}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def document(before: str) -> str:
    """The page with today's table."""
    head, _, rest = before.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{roles_text()}\n{END}{tail}"


def main() -> int:
    """Write it."""
    DOCS_FILE.write_text(document(DOCS_FILE.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
