"""What should not be kept, or not for others, by how the user's last turn reads.

Shipped rules for English, German, French and Spanish. They err towards asking a model anew: a miss costs money,
a wrong hit costs trust.
"""

from __future__ import annotations

from functools import cache

from penstock.core.regex import Patterns

# The answer is another one tomorrow.
TIME = (
    r"(?i)\b(today|tonight|tomorrow|yesterday|right now|just now|currently|at the moment|nowadays)\b",
    r"(?i)\b(latest|newest|most recent|breaking|live) (news|version|release|price|score|update|data)",
    r"(?i)\bcurrent (time|date|day|year|month|week|weather|price|rate|status|version|president|news|events?)\b",
    r"(?i)\bthis (morning|afternoon|evening|week|month|year|weekend)\b",
    r"(?i)\bwhat (time|day|date|year) is it\b|\bwhat('s| is) the (time|date|weather)\b",
    r"(?i)\b(weather|stock price|share price|exchange rate|traffic) (in|of|for|on|at|near)\b",
    r"(?i)\b(heute|morgen früh|gestern|gerade eben|derzeit|momentan|aktuell\w*)\b",
    r"(?i)\b(diese (Woche|Nacht)|diesen Monat)\b",
    r"(?i)\b(wie spät ist|wie viel uhr|das wetter)\b",
    r"(?i)\b(aujourd.hui|demain|hier soir|en ce moment|actuellement|quelle heure)\b",
    r"(?i)\b(hoy|mañana por la|ayer|ahora mismo|actualmente|qué hora)\b",
)
_THINGS = (
    r"(account|balance|order|orders|booking|reservation|subscription|invoice|bill|payment|card|password|"
    r"appointment|prescription|diagnosis|salary|contract|ticket|shipment|delivery|refund|profile|address|e-?mail|"
    r"phone number|name)"
)
# The answer is about who asks.
PERSONAL = (
    rf"(?i)\b(my|our) (last |latest |current |open |own )?{_THINGS}\b",
    r"(?i)\bwho am i\b|\bwhat('s| is) my\b|\bdo i (owe|still owe|have any)\b|\bremember me\b",
    r"(?i)\bmein\w* (Konto|Kontostand|Bestellung\w*|Rechnung\w*|Vertrag|Buchung)\b",
    r"(?i)\bmein\w* (Termin\w*|Passwort|Adresse|Name)\b",
    r"(?i)\b(mon compte|ma commande|ma facture|mon mot de passe|mon rendez-vous)\b",
    r"(?i)\b(mi cuenta|mi pedido|mi factura|mi contraseña|mi cita)\b",
)


@cache
def _compiled(texts: tuple[str, ...]) -> Patterns:
    """Compiled when the first route with a cache is asked."""
    return Patterns(texts)


def of_the_time(text: str) -> bool:
    """Whether the answer depends on when it is asked."""
    return _compiled(TIME).occur(text)


def personal(text: str) -> bool:
    """Whether the answer depends on who asks."""
    return _compiled(PERSONAL).occur(text)
