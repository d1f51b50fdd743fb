"""What one attempt holds of every counter that binds it, from before its first byte until it is settled."""

from __future__ import annotations

from penstock.admission.accounts import Account, Allowance
from penstock.admission.counters import Counter
from penstock.admission.waiting import OK
from penstock.core.usage import Usage


class Needs:
    """What an attempt will use: `nanousd` at most, tokens as they are likely to be."""

    __slots__ = ("input_tokens", "nanousd", "output_tokens")

    def __init__(self, input_tokens: int, output_tokens: int, nanousd: int) -> None:
        self.input_tokens = input_tokens
        self.output_tokens = output_tokens
        self.nanousd = nanousd


class Holding:
    """What was taken, by counter. With `blocked` nothing is held: `code` says whether waiting there helps."""

    __slots__ = ("_amounts", "_at", "_counters", "amount", "blocked", "code")

    def __init__(self, at: float) -> None:
        self._at = at
        self._counters: list[Counter] = []
        self._amounts: list[int] = []
        self.blocked: Counter | None = None
        self.code = OK
        self.amount = 0

    def take(self, counter: Counter, amount: int, now: float, now_ms: int) -> bool:
        """Take `amount`; where that is not possible, say why."""
        code = counter.take(amount, now, now_ms)
        if code == OK:
            self._counters.append(counter)
            self._amounts.append(amount)
            return True
        self.blocked, self.code, self.amount = counter, code, amount
        return False

    def drop(self, now: float, now_ms: int) -> None:
        """The attempt is not made: everything goes back."""
        for counter, amount in zip(self._counters, self._amounts, strict=True):
            counter.settle(amount, 0, now, now_ms)
        self._counters.clear()
        self._amounts.clear()

    def settle(self, usage: Usage, nanousd: int, at_ms: int) -> None:
        """The attempt, opened at `at_ms`, is over: what it used instead of what was held."""
        counters, amounts = self._counters, self._amounts
        self._counters, self._amounts = [], []
        given: int = usage.input_tokens
        made: int = usage.output_tokens
        for place in range(len(counters)):
            counter, amount = counters[place], amounts[place]
            unit = counter.unit
            if unit == "budget":
                used = nanousd
            elif unit == "tokens":
                used = given + made
            elif unit == "input_tokens":
                used = given
            elif unit == "output_tokens":
                used = made
            else:
                used = amount
            counter.settle(amount, used, self._at, at_ms)


def hold(allowance: Allowance, target: Account | None, needs: Needs, now: float, now_ms: int) -> Holding:
    """Hold what an attempt needs of its exchange's accounts and of its deployment: all of it, or nothing."""
    holding = Holding(now)
    if _hold_all(holding, allowance, target, needs, now, now_ms):
        return holding
    holding.drop(now, now_ms)
    return holding


def _hold_all(
    holding: Holding, allowance: Allowance, target: Account | None, needs: Needs, now: float, now_ms: int
) -> bool:
    for counter in allowance.budgets:
        if not holding.take(counter, needs.nanousd, now, now_ms):
            return False
    for counter in allowance.tokens:
        if not holding.take(counter, _tokens(counter, needs), now, now_ms):
            return False
    return target is None or _hold_target(holding, target, needs, now, now_ms)


def _hold_target(holding: Holding, target: Account, needs: Needs, now: float, now_ms: int) -> bool:
    for counter in target.budgets:
        if not holding.take(counter, needs.nanousd, now, now_ms):
            return False
    for counter in target.tokens:
        if not holding.take(counter, _tokens(counter, needs), now, now_ms):
            return False
    # Slots last, since only for them one may queue for long.
    for counters in (target.requests, target.slots):
        for counter in counters:
            if not holding.take(counter, 1, now, now_ms):
                return False
    return True


def _tokens(counter: Counter, needs: Needs) -> int:
    """An answer's length is a guess, which must not make a request impossible; its input is not."""
    if counter.unit == "input_tokens":
        return needs.input_tokens
    if counter.unit == "output_tokens":
        return min(needs.output_tokens, counter.limit)
    return needs.input_tokens + min(needs.output_tokens, max(0, counter.limit - needs.input_tokens))


def hard_room_nanousd(allowance: Allowance, target: Account | None, now: float, now_ms: int) -> int | None:
    """What every hard budget could still hold just now; None where there is none."""
    room = allowance.left_nanousd(now, now_ms)
    if target is not None:
        for counter in target.budgets:
            if counter.hard:
                left = counter.left(now, now_ms)
                room = left if room is None or left < room else room
    return room
