"""Alerts about users who spend far more than others, and what actions make of alerts."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.adapters.sqlite.outbox import SqliteOutbox
from penstock.compile.alerts import actions_of
from penstock.config.load import load_text
from penstock.config.problem import ConfigError
from penstock.core.alert_actions import TAKEN, Action, wish_of
from penstock.core.alerts import Alert, Memory, Webhook, alert_of, fingerprint_of, judge_all
from penstock.core.outlier_alerts import outliers
from penstock.ports.alerts import Numbered, Posted
from penstock.worker.alerts.courier import deliver_one
from penstock.worker.alerts.desk import AlertDesk, AlertSettings

NOW = 1_790_000_000_000
QUARTER = NOW // 900_000
USD = 1_000_000_000
CONFIG = """
routes: {economy: {policy: {static: "later"}}}
alerts:
  outliers: {}
  actions:
    runaway: {kinds: [user.outlier], limits: {rpm: 6}, downgrade: economy, for: 2h}
    all: {kinds: ["*"], orgs: [beta]}
"""


def spent(**users: float) -> dict[str, dict[int, int]]:
    """What users of acme spent just now, in dollars."""
    return {f"user:acme/{name}": {QUARTER: int(usd * USD)} for name, usd in users.items()}


def fired(sums: dict[str, dict[int, int]]) -> list[Alert]:
    """The alerts of one look."""
    found = outliers(sums, NOW, times=20.0, least_nanousd=USD, cooldown_ms=0)
    return judge_all(found, dict[str, Memory](), NOW)[1]


def test_a_user_far_over_the_median_is_told() -> None:
    """At twenty times the middle of the others, with what it was in words and numbers."""
    (alert,) = fired(spent(a=1, b=2, c=3, jane=60))
    assert (alert.kind, alert.org, alert.labels["account"]) == ("user.outlier", "acme", "user:acme/jane")
    assert alert.value == 30.0
    assert "spent $60.00 in the last hour, 30 times" in alert.message


@pytest.mark.parametrize(
    "sums",
    [
        spent(a=1, b=2, c=3, jane=30),
        spent(a=0.001, b=0.001, c=0.001, jane=0.9),
        spent(a=1, b=1, jane=900),
        {**spent(a=1, b=2, c=3), "user:acme/jane": {QUARTER - 4: 900 * USD}},
        {**spent(a=1, b=2, c=3), "user:beta/jane": {QUARTER: 900 * USD}},
        {**spent(a=1, b=2, c=3), "key:jane": {QUARTER: 900 * USD}},
    ],
    ids=["not so far", "too little", "too few others", "an hour ago", "elsewhere", "no user"],
)
def test_what_is_no_outlier(sums: dict[str, dict[int, int]]) -> None:
    """Below the factor, the least sum, three others; before the hour; of another organisation; no user."""
    assert fired(sums) == []


def actions() -> dict[str, Action]:
    """Those of the configuration above."""
    return {each.name: each for each in actions_of(load_text(CONFIG, {}))}


def outlier(org: str = "acme", account: str = "user:acme/jane") -> Alert:
    """An alert about a user."""
    (reading,) = [
        each
        for each in outliers(spent(a=1, b=2, c=3, jane=60), NOW, times=20, least_nanousd=0, cooldown_ms=0)
        if each.labels["account"] == "user:acme/jane"
    ]
    alert = alert_of(reading, NOW)
    return Alert(
        alert.kind, alert.severity, NOW, alert.subject, alert.value, alert.threshold,
        fingerprint_of(account), alert.message, org, {"account": account},
    )  # fmt: skip


def test_an_action_wishes_for_a_throttle() -> None:
    """Whom it binds, how, until when, and why; the same thing again prolongs the same one."""
    runaway = actions()["runaway"]
    wish = wish_of(runaway, outlier())
    assert wish is not None
    assert wish.org == "acme"
    assert wish.spec["user"] == "jane"
    assert (wish.spec["limits"], wish.spec["downgrade"]) == ({"rpm": 6}, "economy")
    assert wish.until_ms == NOW + 7_200_000
    assert "30 times" in str(wish.spec["why"])
    again = wish_of(runaway, outlier())
    assert again is not None
    assert again.name == wish.name
    key = wish_of(runaway, outlier(account="key:acme:ci"))
    assert key is not None
    assert key.spec["key"] == "acme:ci"
    assert wish_of(runaway, outlier(account="team:acme/red")) is None


def post(webhook: Webhook, alert_id: str, alert: Alert) -> Posted:
    """A webhook that takes everything."""
    del webhook, alert_id, alert
    return Posted("")


class Doing:
    """Carries out whatever it is asked to, or says why not."""

    def __init__(self, *answers: Posted) -> None:
        self.answers = list(answers)
        self.done: list[tuple[str, str]] = []

    def __call__(self, action: Action, alert_id: str, alert: Alert) -> Posted:
        """See ports.alerts.Acting."""
        del alert
        self.done.append((action.name, alert_id))
        return self.answers.pop(0) if self.answers else Posted("")


def desk_at(path: Path, doing: Doing) -> tuple[AlertDesk, AlertSettings]:
    """A desk that has this configuration and no couriers under way."""
    document = load_text(CONFIG, {})
    settings = AlertSettings(document, (), actions_of(document))
    desk = AlertDesk(
        path, lambda: None, post, now_ms=lambda: NOW, monotonic=lambda: 0.0,
        draw=lambda: 0.5, act=doing,
    )  # fmt: skip
    desk._settings = settings  # pyright: ignore[reportPrivateUsage]
    return desk, settings


def test_an_action_is_kept_until_it_is_carried_out_and_told_then(tmp_path: Path) -> None:
    """Control is away at first; then the throttle is made once, and an alert says so, which causes no other."""
    path = tmp_path / "alerts.db"
    doing = Doing(Posted("control does not answer"))
    desk, settings = desk_at(path, doing)
    outbox = SqliteOutbox(path, lambda: settings.webhooks)
    outbox.take([Numbered("a1", outlier()), Numbered("b1", outlier("beta", "user:beta/joe"))])
    (runaway, every) = settings.webhooks
    now = [NOW]

    def deliver(webhook: Webhook) -> bool:
        return deliver_one(webhook, outbox, desk._deliver, lambda: now[0], lambda: 0.5)  # pyright: ignore[reportPrivateUsage]

    assert deliver(runaway)
    now[0] += 60_000
    while deliver(runaway):
        pass
    while deliver(every):
        pass
    assert doing.done == [("runaway", "a1"), ("runaway", "b1"), ("runaway", "a1"), ("all", "b1")]
    told = [each for each in outbox.recent(50) if each["kind"] == TAKEN]
    assert {(each["id"], each["labels"]["action"]) for each in told} == {
        ("a1-runaway", "runaway"), ("b1-runaway", "runaway"), ("b1-all", "all"),
    }  # fmt: skip
    assert "is throttled until 2026-09-21T" in told[0]["message"]
    outbox.close()
    desk.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("alerts: {actions: {a: {kinds: [x], downgrade: nowhere}}}", "no route 'nowhere'"),
        ("alerts: {actions: {a: {kinds: []}}}", "kinds"),
        ("alerts: {outliers: {times: 1}}", "times"),
        ("orgs: {acme: {throttles: {t: {until: 2026-12-01T00:00:00Z}}}}", "a user or a key"),
    ],
)
def test_mistakes_are_found(text: str, said: str) -> None:
    """At the place where they stand."""
    with pytest.raises(ConfigError, match=said):
        load_text(text, {})
