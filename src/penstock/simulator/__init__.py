"""An upstream without a model: deterministic answers in four APIs, and every way in which upstreams fail."""

from penstock.simulator.behaviour import Behaviour, behaviour_of
from penstock.simulator.desk import Settings
from penstock.simulator.inbox import Counts, Inbox, Received
from penstock.simulator.script import Rule, Rules, Script
from penstock.simulator.server import Simulator, run

__all__ = [
    "Behaviour",
    "Counts",
    "Inbox",
    "Received",
    "Rule",
    "Rules",
    "Script",
    "Settings",
    "Simulator",
    "behaviour_of",
    "run",
]
