from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest

from penstock.core.asking import LearnedNode
from penstock.core.cascade import Acceptance, CascadeNode, CascadeStep, Escalations
from penstock.core.itinerary import Accept, AttemptOutcome, GiveUp, Start, Step, Wait, WholeAnswer
from penstock.core.judge import JudgeRule
from penstock.core.usage import Usage
from penstock.core.verdict import Answer, Bounds
from penstock.ports.oracle import Question, Ticket
from penstock.routing.policies import cursor_for
from penstock.routing.walk import Outside, Walk
from tests.routing.walking import NOW, node, view, walk_of


class Scripted:
    """An oracle that answers at once from a table, later by hand, or never."""

    def __init__(self, told: Mapping[str, tuple[float, ...]] | None = None) -> None:
        self.told = told
        self.asked: list[tuple[Question, Ticket, Callable[[], None], float]] = []
        self.graded: list[str] = []

    def ask(self, question: Question, woken: Callable[[], None], within_s: float) -> Ticket:
        """See ports.oracle."""
        ticket = Ticket()
        self.asked.append((question, ticket, woken, within_s))
        if self.told is not None:
            ticket.tell(self.told.get(question.kind, ()))
        return ticket

    def grade(self, rule: JudgeRule, answer: Answer, woken: Callable[[], None], within_s: float) -> Ticket:
        """See ports.judging."""
        del answer, woken, within_s
        self.graded.append(rule.route)
        ticket = Ticket()
        ticket.tell((self.told or {}).get("judge", ()))
        return ticket


def chat(text: str, logprobs: list[float] | None = None) -> WholeAnswer:
    """A whole answer of OpenAI's shape."""
    content = [{"token": "x", "logprob": each, "bytes": [120], "top_logprobs": []} for each in logprobs or ()]
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
        "logprobs": {"content": content} if logprobs else None,
    }
    body = json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})
    return WholeAnswer(body.encode(), stream=False, usage=Usage(), cost_nanousd=1, first_s=0.1, total_s=0.2)


class Told:
    """Walks a cascade whose targets answer with the texts given, in order."""

    def __init__(self, policy: CascadeNode, answers: list[WholeAnswer | str], walk: Walk | None = None) -> None:
        self.walk = walk or walk_of(view("How much is it?"))
        self.asked: list[str] = []
        self._cursor = cursor_for(policy, self.walk)
        self._answers = answers

    def run(self, now: float = NOW) -> Step:
        """Every answer in turn, until the policy accepts, gives up or waits for somebody else."""
        told: AttemptOutcome | None = None
        while True:
            step = self._cursor.step(told, now, 0.5)
            if not isinstance(step, Start):
                return step
            self.walk.started += 1
            self.asked.append(step.target.id + ("" if step.whole else " streamed"))
            answer = self._answers.pop(0)
            number = self.walk.started
            if isinstance(answer, str):
                told = AttemptOutcome("fallback", answer, attempt=number)
            else:
                told = AttemptOutcome("ok", attempt=number, answer=answer)


def two(acceptance: Acceptance, most: float = 1.0) -> CascadeNode:
    """A cheap target, and a dear one."""
    steps = (CascadeStep(node("cheap"), acceptance), CascadeStep(node("dear"), None))
    return CascadeNode(steps, most, "cascade r")


def sure(least: float = -0.5) -> Acceptance:
    """Accepts by the mean log probability."""
    return Acceptance(Bounds(mean_logprob=least))


def test_an_answer_that_passes_is_the_answer() -> None:
    """The dear target is not asked, and the cheap answer was held back until it passed."""
    told = Told(two(sure()), [chat("yes", [-0.1, -0.2])])
    assert told.run() == Accept(1)
    assert told.asked == ["cheap"]


def test_an_answer_that_does_not_pass_goes_further() -> None:
    """The last step's answer is taken as it comes, so that it may be streamed."""
    told = Told(two(sure()), [chat("hm", [-0.1, -2.0]), chat("yes")])
    assert told.run() == Accept(2)
    assert told.asked == ["cheap", "dear streamed"]


def test_the_best_answer_at_hand_is_taken_where_going_further_fails() -> None:
    """An answer that did not pass is better than an error."""
    told = Told(two(sure()), [chat("hm", [-3.0]), "status_500"])
    assert told.run() == Accept(1)


def test_a_step_that_fails_leads_to_the_next() -> None:
    """A cascade is a fallback as well."""
    told = Told(two(sure()), ["status_500", chat("yes")])
    assert told.run() == Accept(2)
    both = Told(two(sure()), ["status_500", "status_502"])
    assert isinstance(both.run(), GiveUp)


def test_samples_are_asked_for_until_the_decision_is_certain() -> None:
    """Three that agree of four wanted at 75 % are enough; two different ones of three at 100 % too many."""
    agreeing = Acceptance(Bounds(), samples=4, share=0.75)
    told = Told(two(agreeing), [chat("7"), chat("The answer is 7"), chat("7.0")])
    assert told.run() == Accept(1)
    assert told.asked == ["cheap"] * 3
    split = Told(two(Acceptance(Bounds(), samples=3)), [chat("7"), chat("8"), chat("9")])
    assert split.run() == Accept(3)
    assert split.asked == ["cheap", "cheap", "dear streamed"]


def test_the_majoritys_answer_is_the_one_that_is_given() -> None:
    """Not the first one, if that stood alone."""
    most = Acceptance(Bounds(), samples=3, share=0.6)
    told = Told(two(most), [chat("8"), chat("7"), chat("7")])
    assert told.run() == Accept(2)


def test_escalations_are_bounded_to_a_share() -> None:
    """When the share is spent, the answer at hand is taken; other cascades are not concerned."""
    outside = Outside()
    ends: list[Step] = []
    for _ in range(40):
        walk = walk_of(view())
        walk.outside = outside
        ends.append(Told(two(sure(), most=0.1), [chat("hm", [-5.0]), chat("yes")], walk).run())
    assert ends.count(Accept(2)) == 4
    assert ends[:3] == [Accept(2)] * 3


def test_the_share_of_escalations_comes_back_with_time() -> None:
    """What was spent long ago does not count any more, and neither does what was saved."""
    spent = Escalations()
    for _ in range(1_000):
        spent.asked(NOW)
    assert sum(spent.allow(NOW, 0.01) for _ in range(100)) == 10
    later = NOW + 10 * Escalations.HALF_LIFE_S
    spent.asked(later)
    assert sum(spent.allow(later, 0.01) for _ in range(100)) == 2


def test_a_function_is_asked_outside_and_waited_for_no_longer_than_said() -> None:
    """Late or absent means no; a yes accepts the answer that it was about."""
    acceptance = Acceptance(Bounds(), function="checks:good", deadline_s=0.7)
    for told, end in (((1.0,), Accept(1)), ((0.0,), Accept(2)), ((), Accept(2))):
        walk = walk_of(view("How much?"))
        walk.outside = Outside()
        oracle = walk.outside.oracle = Scripted()
        policy = two(acceptance)
        run = Told(policy, [chat("five"), chat("six")], walk)
        assert run.run() == Wait(0.7)
        question, ticket, _, within_s = oracle.asked[0]
        assert (question.about, question.prompt, question.answer, within_s) == (
            "checks:good",
            "How much?",
            "five",
            0.7,
        )
        if told:
            ticket.tell(told)
            assert run.run() == end
        else:
            waiting = run.run(NOW + 0.5)  # somebody else was told something
            assert isinstance(waiting, Wait)
            assert waiting.delay_s == pytest.approx(0.2)
            assert run.run(NOW + 0.7) == end


def test_scorer_and_judge_are_asked_one_after_the_other() -> None:
    """The judge only sees what the scorer lets through."""
    acceptance = Acceptance(Bounds(), scorer="s.model", least_score=0.6, judge=JudgeRule("grader", 0.8))
    for told, kinds, end in (
        ({"scorer": (0.7,), "judge": (0.9,)}, ["scorer", "judge"], Accept(1)),
        ({"scorer": (0.7,), "judge": (0.7,)}, ["scorer", "judge"], Accept(2)),
        ({"scorer": (0.5,), "judge": (0.9,)}, ["scorer"], Accept(2)),
    ):
        walk = walk_of(view())
        walk.outside = Outside()
        oracle = walk.outside.oracle = walk.judges = Scripted(told)
        assert Told(two(acceptance), [chat("a"), chat("b")], walk).run() == end
        asked = [each[0].kind for each in oracle.asked] + ["judge" for _ in oracle.graded]
        assert asked == kinds


def test_what_is_left_of_a_cascade_accepts_its_last_answer() -> None:
    """Without the dear target the cheap one is asked like any other, and nothing is held back."""
    whole = two(sure())
    assert whole.whole()
    left = whole.with_below([whole.steps[0].node, None])
    assert left is whole.steps[0].node


def learned(default: int = 0) -> LearnedNode:
    """A learned choice between two targets."""
    return LearnedNode((node("cheap"), node("strong")), "about", default, 0.1)


@pytest.mark.parametrize(
    ("told", "default", "first"),
    [
        ((0.0,), 1, "cheap"),
        ((1.0,), 0, "strong"),
        ((-1.0,), 1, "strong"),
        ((), 0, "cheap"),
        ((7.0,), 1, "strong"),
    ],
)
def test_the_router_chooses_or_the_default_holds(told: tuple[float, ...], default: int, first: str) -> None:
    """No answer, no signal and nonsense all mean the default; the other child follows as a fallback."""
    walk = walk_of(view())
    walk.outside = Outside()
    walk.outside.oracle = Scripted({"router": told})
    cursor = cursor_for(learned(default), walk)
    step = cursor.step(None, NOW, 0.5)
    assert isinstance(step, Start)
    assert step.target.id == first
    other = cursor.step(AttemptOutcome("fallback", "status_500"), NOW, 0.5)
    assert isinstance(other, Start)
    assert other.target.id != first


def test_a_late_router_is_not_waited_for() -> None:
    """At the deadline the default is used; its answer may come when it likes."""
    walk = walk_of(view("Prove it"))
    walk.outside = Outside()
    oracle = walk.outside.oracle = Scripted()
    cursor = cursor_for(learned(1), walk)
    assert cursor.step(None, NOW, 0.5) == Wait(0.1)
    step = cursor.step(None, NOW + 0.1, 0.5)
    assert isinstance(step, Start)
    assert step.target.id == "strong"
    assert oracle.asked[0][0].prompt == "Prove it"
    assert walk.notes["learned"] == "absent"


def test_without_anybody_to_ask_the_default_is_used_at_once() -> None:
    """A gateway whose inference process is not there answers all the same."""
    step = cursor_for(learned(1), walk_of(view())).step(None, NOW, 0.5)
    assert isinstance(step, Start)
    assert step.target.id == "strong"


def test_a_narrowed_router_still_knows_its_children_by_their_places() -> None:
    """What a tenant may not use is left out; a choice of it falls to the default."""
    children = (node("a"), node("b"), node("c"))
    left = LearnedNode(children, "about", 0, 0.1).with_below([None, children[1], children[2]])
    assert isinstance(left, LearnedNode)
    assert (left.places, left.default) == ((1, 2), 1)
    assert left.with_below([None, children[2]]) is children[2]
