"""Street addresses, by their shape: a heuristic, English first.

A number and a kind of street, in the orders and with the words that countries use (Universal Postal Union, S42
and its members' addressing systems; United States Postal Service, Publication 28, appendices C1 and C2 for
suffixes and designators). What has none of these words is not found: names of places need a language model.
"""

from __future__ import annotations

from typing import Final

from penstock.guardrails.pii.recogniser import Recogniser

_SUFFIX: Final = (
    r"Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|"
    r"Ter|Crescent|"
    r"Cres|Close|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Trail|Trl|Way|Alley|Plaza|Grove|Mews|Esplanade|"
    r"Parade|Quay|Rise|"
    r"Row|Turnpike|Expressway|Freeway|Causeway|Crossing|Heights|Gardens|Walk|Loop|Pike|Ridge|Broadway"
)
_WORD: Final = r"[\p{Lu}\d][\p{L}\d'\x{2019}.\-]*"
_NORTHERN: Final = (
    r"(?:stra(?:ß|ss)e|str\.|gasse|gata|gatan|vägen|väg|veien|vei|vegen|vej|gade|gaten|laan|straat|plein|"
    r"weg|katu|"
    r"kuja|tie|polku|stræti|gränd|allé|allee|platz|ring|damm|ufer|steenweg|dreef|kade|singel|lei|bakken|"
    r"stien|stubben|"
    r"plaats|bygget|skogen|lia|åsen|toppen)"
)
_SOUTHERN: Final = (
    r"Rue|Avenue|Boulevard|Chemin|Allée|Impasse|Quai|Place|Route|Via|Viale|Piazza|Corso|Vicolo|Strada|"
    r"Largo|Contrada|"
    r"Calle|C/|Avda\.?|Avenida|Plaza|Paseo|Camino|Carretera|Rua|Travessa|Praça|Estrada|Rúa|Ronda|ul\.|"
    r"ulica|al\.|aleja|"
    r"plac|os\.|osiedle|náměstí|nám\.|třída|Ul\.|Trg|Cesta|str\.|Strada|Bulevardul|ulitsa|Calea|Carrer|"
    r"Rambla|Jalan|Jl\."
)
_UNIT: Final = r"(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Room|Rm|Building|Bldg|App)\.? ?#?\d+[A-Za-z]?"
_AND_UNIT: Final = rf"(?:,?\s{{1,6}}{_UNIT})?"

ROWS = (
    Recogniser(
        "STREET_ADDRESS",
        rf"(\d{{1,6}}[A-Za-z]?(?:[\- ]\d{{1,5}})?,? (?:(?:N|S|E|W|NE|NW|SE|SW|North|South|East|West)\.? )?"
        rf"(?:{_WORD} ){{1,4}}(?:{_SUFFIX})\b\.?{_AND_UNIT})",
        "United States Postal Service, Publication 28, section 23",
        score=0.75,
        longest=120,
    ),
    Recogniser(
        "STREET_ADDRESS",
        rf"(?i)((?:\d{{1,6}} )?[\p{{L}}.\-]+(?: [\p{{L}}.\-]+)?{_NORTHERN} \d{{1,4}}[A-Za-z]?\b{_AND_UNIT})",
        (
            "Universal Postal Union, addressing systems: Germany, Austria, the Netherlands, Belgium, the "
            "Nordic countries"
        ),
        score=0.7,
        longest=120,
    ),
    Recogniser(
        "STREET_ADDRESS",
        rf"((?:\d{{1,6}}(?:bis|ter)?,? )?(?:(?i:{_SOUTHERN})) (?:(?:de|del|della|des|du|da|do|dos|di|la|"
        rf"le|el|los|las|"
        rf"los|l'|d'|svatého) ?){{0,2}}(?:{_WORD}[, ]+){{1,4}}\d{{1,5}}[A-Za-z]?\b{_AND_UNIT})",
        "Universal Postal Union, addressing systems: Italy, Spain, Portugal, Poland, Czechia",
        score=0.65,
        longest=120,
    ),
    Recogniser(
        "STREET_ADDRESS",
        rf"(\d{{1,6}}(?:bis|ter)?,? (?:(?i:{_SOUTHERN})) (?:(?:de|del|della|des|du|da|do|dos|di|la|le|el|"
        rf"los|las|l'|d') ?)"
        rf"{{0,2}}{_WORD}(?: {_WORD}){{0,3}}{_AND_UNIT})",
        "Universal Postal Union, addressing systems: France, the number first",
        score=0.65,
        longest=120,
    ),
    Recogniser(
        "STREET_ADDRESS",
        (
            r"([\p{Lu}][\p{L}.\-]+(?: [\p{L}.\-]+){0,2} (?:utca|út|útja|tér|tere|u\.|körút|fasor|sétány|"
            r"krt\.) \d{1,4}\.?)"
        ),
        "Universal Postal Union, addressing systems: Hungary",
        score=0.7,
        longest=120,
    ),
    Recogniser(
        "STREET_ADDRESS",
        r"((?:Apt|Apartment|Suite|Ste|Flat)\.? #?\d{1,5}[A-Za-z]?)",
        "United States Postal Service, Publication 28, appendix C2: secondary units",
        score=0.6,
    ),
    Recogniser(
        "STREET_ADDRESS",
        (
            r"(?i)(\bP\.? ?O\.? Box \d{1,6}|\b(?:PSC|Unit|CMR) \d{3,5},? Box \d{1,5}|\b(?:USS|USNS|USNV|"
            r"USCGC) [A-Z][a-z]+)"
        ),
        "United States Postal Service, Publication 28, sections 28 and 225.1",
        score=0.75,
    ),
    Recogniser(
        "STREET_ADDRESS",
        r"(\b[AFD]PO,? (?:AA|AE|AP) \d{5}(?:-\d{4})?)",
        "United States Postal Service, Publication 28, section 225.1",
        score=0.9,
    ),
)
