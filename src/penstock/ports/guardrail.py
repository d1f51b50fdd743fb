"""What a guard finds in a text, and what looks for it: the contract of detectors and the guard engine.

It stands in core/detector.py, because a Plan holds detectors; this is where those who write one find it.
"""

from __future__ import annotations

from penstock.core.detector import ROLES, UNTRUSTED, WHOLE, Detector, Finding, Leakable, Role, Settled, Writes

__all__ = ["ROLES", "UNTRUSTED", "WHOLE", "Detector", "Finding", "Leakable", "Role", "Settled", "Writes"]
