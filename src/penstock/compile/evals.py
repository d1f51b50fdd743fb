"""Who judges a route's answers, and under which budget."""

from __future__ import annotations

from penstock.compile.targets import CompileError
from penstock.config import document as doc
from penstock.core.allowance import AccountRule, BudgetRule
from penstock.core.evaluation import Evaluation
from penstock.core.policy import PolicyNode
from penstock.routing.trees import targets_of

# Stands in no configured key's name.
_MARK = "eval:"


def account_of(route: str) -> str:
    """The account that holds a route's budget of judgements."""
    return f"key:{_MARK}{route}"


def evaluation_of(route: str, config: doc.Route) -> Evaluation | None:
    """How the route's answers are judged; None where nobody does."""
    evals = config.evals
    if evals is None or evals.judge is None or not evals.sample:
        return None
    return Evaluation(
        evals.judge,
        evals.sample,
        evals.score,
        evals.criteria,
        account_of(route),
        evals.concurrency,
        evals.timeout_s,
    )


def cohort_of(config: doc.Route) -> str:
    """The tag by whose values the route's scores are told apart, empty for none."""
    return (config.evals.cohort or "") if config.evals is not None else ""


def budget_of(route: str, config: doc.Route) -> AccountRule | None:
    """What judging this route's answers may cost; None where nobody does."""
    if evaluation_of(route, config) is None or config.evals is None:
        return None
    budget = config.evals.budget
    return AccountRule(account_of(route), budgets=(BudgetRule(doc.nanousd(budget.usd), budget.window),))


def check_drill(route: str, config: doc.DrillPlan, policy: PolicyNode) -> None:
    """Raise CompileError where a drill leads to what is no fallback."""
    names = list(dict.fromkeys(target.id for target in targets_of(policy)))
    if config.to not in names or len(names) < 2:
        others = f"name one of {', '.join(names)}" if len(names) > 1 else "the route has one target only"
        raise CompileError(f"routes.{route}.drill.to: {config.to!r} is no fallback of the route; {others}")


def sources_of(config: doc.Route) -> frozenset[str]:
    """The names of the scores that something writes for this route."""
    found = {"success"}
    if config.evals is not None:
        found.update(config.evals.feedback)
        if config.evals.judge is not None and config.evals.sample:
            found.add(config.evals.score)
    return frozenset(found)
