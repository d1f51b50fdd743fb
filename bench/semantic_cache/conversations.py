"""S3: the user's last message says the same, and what stood before it does not; or somebody else asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from bench.routing_quality.report import Measured
from penstock.core.chat import ChatRequest, Message
from penstock.core.fingerprint import digest, question_of
from penstock.core.parts import Text
from penstock.inference.nearest import choose
from penstock.ports.semantic import Meant

if TYPE_CHECKING:
    from bench.semantic_cache.setting import Setting
    from penstock.inference.meanings import Meaning

_OPENINGS = (
    ("You help customers of a bank.", "I want to close my savings account.", "You can do that in the app."),
    ("You help customers of a bank.", "I want to close my credit card.", "You can do that in the app."),
    ("You help customers of a shop.", "I'd like to return a pair of shoes.", "Returns are free for 30 days."),
    ("You help customers of a shop.", "I'd like to return a used mattress.", "Mattresses cannot be returned."),
    ("You are a tutor.", "We talked about the French Revolution.", "It began in 1789."),
    ("You are a tutor.", "We talked about the Russian Revolution.", "It began in 1917."),
    ("Answer in German.", "My laptop does not start.", "Hold the power button."),
    ("Answer in English.", "My laptop does not start.", "Hold the power button."),
)
_LAST = (
    ("How long does that take?", "How much time does that take?"),
    ("What does it cost?", "How much does it cost?"),
    ("Why is that so?", "What is the reason for that?"),
    ("Who can help me with it?", "Whom can I ask for help with it?"),
    ("Can you explain that again?", "Could you explain that once more?"),
    ("What happens next?", "What comes next?"),
)


def measure(setting: Setting) -> Iterator[Measured]:
    """Every opening with every last message, asked in every other opening, and by another tenant."""
    asked = wrong = contexts = tenants = served = should = 0
    places = [(tenant, opening) for tenant in ("acme", "globex") for opening in _OPENINGS]
    for plain, rephrased in _LAST:
        kept = setting.meaning(plain)
        for tenant, opening in places:
            for other_tenant, other in places:
                for text in (plain, rephrased):
                    found = _found(setting, kept, (tenant, opening), (other_tenant, other), text)
                    same = tenant == other_tenant and opening == other
                    if same:
                        should += 1
                        served += found
                        continue
                    asked += 1
                    wrong += found
                    tenants += found and tenant != other_tenant
                    contexts += found and tenant == other_tenant
    given, given_wrong = _given(setting)
    yield Measured("S3.contexts", "hits from another context", (contexts,), "0", contexts == 0, asked)
    yield Measured("S3.tenants", "hits from another tenant", (tenants,), "0", tenants == 0, asked)
    share = (wrong + given_wrong) / max(asked + given, 1)
    detail = {"served of what may be": round(served / should, 3), "keyed on the last message": 0.98}
    yield Measured("S3.wrong", "wrong hits", (share,), "<= 0.05", share <= 0.05, asked + given, detail)


def _found(
    setting: Setting,
    kept: Meaning,
    where: tuple[str, tuple[str, str, str]],
    other: tuple[str, tuple[str, str, str]],
    text: str,
) -> bool:
    """Whether a question kept in one place is served in another: spaces first, then contexts, then words."""
    mine, theirs = _meant(*where, kept.text), _meant(*other, text)
    if mine.space != theirs.space or mine.context != theirs.context:
        return False
    asked = setting.meaning(text)
    choice = choose(setting.meanings, asked, [float(asked.vector @ kept.vector)], lambda _: kept)
    return choice is not None and choice.same


def _meant(tenant: str, opening: tuple[str, str, str], text: str) -> Meant:
    """As the gateway asks: the tenant is part of the space, what came before the last turn is the context."""
    found = question_of(_chat(opening, text))
    if found is None:
        raise ValueError("a user's text is always a question")
    return Meant(found.text, digest(tenant.encode()), found.context)


def _chat(opening: tuple[str, str, str], text: str) -> ChatRequest:
    system, before, answer = opening
    return ChatRequest(
        model="m",
        messages=(
            Message(role="system", parts=(Text(system),)),
            Message(role="user", parts=(Text(before),)),
            Message(role="assistant", parts=(Text(answer),)),
            Message(role="user", parts=(Text(text),)),
        ),
    )


def _given(setting: Setting) -> tuple[int, int]:
    """Conversations that the data has: rows whose `a` and `b` are lists of turns, with `same_answer`."""
    asked = wrong = 0
    for path in sorted((setting.data / "cache_traps").glob("conv*.jsonl")):
        for row in setting.lines(str(path.relative_to(setting.data))):
            a, b = _turns(row.get("a")), _turns(row.get("b"))
            if not a or not b or row.get("same_answer"):
                continue
            asked += 1
            if a[:-1] != b[:-1]:
                continue
            one, two = setting.meaning(a[-1][1]), setting.meaning(b[-1][1])
            choice = choose(setting.meanings, two, [float(one.vector @ two.vector)], lambda _, one=one: one)
            wrong += choice is not None and choice.same
    return asked, wrong


def _turns(told: Any) -> list[tuple[str, str]]:
    """Turns as (who, what), written as objects or as texts."""
    turns = cast("list[Any]", told) if isinstance(told, list) else []
    return [_turn(each) for each in turns]


def _turn(told: Any) -> tuple[str, str]:
    if not isinstance(told, dict):
        return "", str(told)
    turn = cast("dict[str, Any]", told)
    return str(turn.get("role", "")), str(turn.get("content", turn.get("text", "")))
