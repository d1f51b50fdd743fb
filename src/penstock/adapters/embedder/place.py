"""Where an installed embedder lies, and what its folder holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

VARIABLE = "PENSTOCK_EMBEDDER"
GRAPH = "model.onnx"
TOKENIZER = "tokenizer.json"
CARD = "embedder.json"
HOW_TO_INSTALL = "run `penstock embedder install`"


class EmbedderMissingError(Exception):
    """No embedder is installed, or its folder is damaged; the sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Card:
    """What was installed: `name` changes with the weights, for vectors of two names cannot be compared."""

    name: str
    dimensions: int
    most_tokens: int
    source: str
    graph_sha256: str
    tokenizer_sha256: str


def embedder_folder(env: Mapping[str, str]) -> Path:
    """`PENSTOCK_EMBEDDER`, else a folder of this user that all installations share."""
    named = env.get(VARIABLE)
    if named:
        return Path(named)
    data = env.get("XDG_DATA_HOME") or str(Path(env.get("HOME") or "~").expanduser() / ".local" / "share")
    return Path(data) / "penstock" / "embedder"


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_card(folder: Path, card: Card) -> None:
    """Say what lies in the folder. Raises OSError."""
    (folder / CARD).write_text(json.dumps(asdict(card), indent=1) + "\n")


def read_card(folder: Path) -> Card:
    """What lies in the folder; that the files are whole is checked. Raises EmbedderMissingError."""
    try:
        card = Card(**json.loads((folder / CARD).read_text()))
        found = digest(folder / GRAPH), digest(folder / TOKENIZER)
    except FileNotFoundError:
        raise EmbedderMissingError(f"no embedder is installed in {folder}; {HOW_TO_INSTALL}") from None
    except (OSError, ValueError, TypeError) as error:
        raise EmbedderMissingError(
            f"the embedder in {folder} cannot be read ({error}); {HOW_TO_INSTALL}"
        ) from None
    if found != (card.graph_sha256, card.tokenizer_sha256):
        raise EmbedderMissingError(f"files of the embedder in {folder} were changed; {HOW_TO_INSTALL} again")
    return card
