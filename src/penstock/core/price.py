"""Exact cost of a usage by a price card.

Rates are integers of nano-dollars per million units, so that $0.0375 per million tokens is 37,500,000 and no
rate in use needs a fraction. A cost is the exact sum of (count × rate), multiplied by the card's factors and
divided once, rounded half up to the nano-dollar.
"""

from __future__ import annotations
