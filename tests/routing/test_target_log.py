"""What the gateway's log says of targets that are left alone."""

from __future__ import annotations

from penstock.bootstrap.target_log import TargetLog
from penstock.routing.standings import Standings


def test_it_says_once_that_a_target_is_left_alone_and_once_that_it_is_back() -> None:
    """Failed trials in between are not news."""
    standings, said = Standings(), list[str]()
    log = TargetLog(standings, said.append)
    target = standings.of("p/m")
    for now in (10.0, 12.5, 17.0):
        for _ in range(5):
            target.began(now)
            target.ended(now, "overload")
        log.say_if_due(now)
    target.began(30.0)
    target.ended(30.2, "ok", 0.0, 0.2)
    log.say_if_due(31.0)
    log.say_if_due(32.0)
    assert said == [
        "target p/m is left alone: breaker open: overload; it is tried again in 2.0 s",
        "target p/m is tried again as usual",
    ]
