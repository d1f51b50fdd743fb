"""What `penstock check` says of floors that nothing feeds, and of judges that nobody is."""

from __future__ import annotations

from datetime import date

import pytest

from penstock.compile.review import review
from penstock.config.load import load_text

CONFIG = """
version: 1
providers: {{sim: {{kind: simulator}}}}
routes:
  pay:
    policy:
      fallback:
        - cheapest: {{of: [sim/a, sim/b], floor: {{score: {score}, min: 0.8}}}}
        - static: Sorry
    evals: {evals}
  critic: {{policy: sim/echo}}
"""


@pytest.mark.parametrize(
    ("score", "evals", "says"),
    [
        ("success", "{}", ""),
        ("good", "{judge: critic, score: good}", ""),
        ("good", "{feedback: [good]}", ""),
        ("good", "{judge: sim/judge, score: good}", ""),
        ("good", "{}", "the floor goes by 'good', which nothing writes"),
        ("good", "{judge: critic}", "which nothing writes"),
        ("good", "{judge: critic, score: good, sample: 0}", "which nothing writes"),
        ("quality", "{judge: critik}", "no route, deployment or provider/model is called 'critik'"),
    ],
)
def test_a_floor_without_a_source_is_told(score: str, evals: str, says: str) -> None:
    """The gate writes `success`; a judge and feedback write what they say they do."""
    document = load_text(CONFIG.format(score=score, evals=evals), {})
    found = [str(each) for each in review(document, date(2026, 6, 1))]
    assert len(found) == bool(says)
    assert says in "".join(found)
