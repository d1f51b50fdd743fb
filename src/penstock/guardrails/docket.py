"""What the guards of one exchange have found so far, without a word of what was said."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.core.screen_plan import Guard
from penstock.guardrails.vault import Vault

ERROR = "GUARD_ERROR"
_MOST_KINDS = 8
_PERSONAL = frozenset({"pii", "presidio"})
# Of several verdicts of one guard the gravest is told.
_GRAVE = {"allow": 0, "log": 1, "warn": 2, "redact": 3, "route": 4, "block": 5}


class Tally:
    """One guard's findings: what followed, and how many of which kind, with the reason of the first."""

    __slots__ = ("kinds", "verdict")

    def __init__(self) -> None:
        self.verdict = "allow"
        self.kinds: dict[str, tuple[int, str]] = {}

    def told(self) -> str:
        """`redact EMAIL_ADDRESS:2(pattern)`; `allow` where nothing was found."""
        if not self.kinds:
            return self.verdict
        pairs = list(self.kinds.items())
        named = [f"{kind}:{count}({reason})" for kind, (count, reason) in pairs[:_MOST_KINDS]]
        more = [f"+{len(pairs) - _MOST_KINDS}"] if len(pairs) > _MOST_KINDS else []
        return " ".join([self.verdict, *named, *more])


class Docket:
    """The verdicts of an exchange by guard.

    `blocked`: the guard that stopped it; `rerouted`: the one that sends it to another route. `findings` counts
    them, `asked` those of the request.
    """

    __slots__ = ("asked", "blocked", "findings", "rerouted", "tallies", "vault", "why")

    def __init__(self) -> None:
        self.tallies: dict[str, Tally] = {}
        self.vault = Vault()
        self.blocked: Guard | None = None
        self.why = ""  # the kind for which it was blocked
        self.rerouted: Guard | None = None
        self.findings = self.asked = 0

    def looked(self, guard: Guard) -> None:
        """The guard has looked; `allow` unless it finds something."""
        if guard.name not in self.tallies:
            self.tallies[guard.name] = Tally()

    def found(self, guard: Guard, kind: str, reason: str) -> None:
        """One finding, and what follows from it by the configuration."""
        self._count(guard, guard.action, kind, reason)
        if guard.action == "block":
            self._block(guard, kind)
        elif guard.action == "route" and self.rerouted is None:
            self.rerouted = guard

    def failed(self, guard: Guard, reason: str) -> None:
        """The guard could not look: a closed one blocks."""
        self._count(guard, "block" if guard.closed else "allow", ERROR, reason)
        if guard.closed:
            self._block(guard, ERROR)

    def stop(self, guard: Guard, kind: str) -> None:
        """Block for this guard, whatever its action: what it found cannot be handled in another way."""
        self._count(guard, "block", kind, "stopped")
        self._block(guard, kind)

    def keeps(self) -> bool:
        """Whether the answer may be used again: nothing was found in it, and nothing was put back into it."""
        return not self.vault and self.findings == self.asked

    def personal(self, guards: Sequence[Guard]) -> bool:
        """Whether one of these that look for personal data has found some."""
        named = [guard.name for guard in guards if guard.kind in _PERSONAL]
        return any(self.tallies[name].kinds for name in named if name in self.tallies)

    def _block(self, guard: Guard, kind: str) -> None:
        if self.blocked is None:
            self.blocked, self.why = guard, kind

    def _count(self, guard: Guard, verdict: str, kind: str, reason: str) -> None:
        self.findings += 1
        tally = self.tallies.get(guard.name)
        if tally is None:
            tally = self.tallies[guard.name] = Tally()
        if _GRAVE[verdict] > _GRAVE[tally.verdict]:
            tally.verdict = verdict
        count, first = tally.kinds.get(kind, (0, reason))
        tally.kinds[kind] = (count + 1, first)

    def notes(self) -> dict[str, str]:
        """For the ledger: `guard.NAME`, verdict and kinds."""
        return {f"guard.{name}": tally.told() for name, tally in self.tallies.items()}

    def header(self) -> bytes:
        """`x-penstock-guard: pii=redact, inject=warn`: what was done here; empty where nothing was."""
        done = [
            f"{name}={tally.verdict}"
            for name, tally in self.tallies.items()
            if tally.verdict in ("warn", "redact", "route", "block")
        ]
        return b"x-penstock-guard: %b\r\n" % ", ".join(done).encode() if done else b""
