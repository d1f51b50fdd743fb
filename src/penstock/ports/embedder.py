"""What turns texts into vectors whose angles say how alike they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Embedder(Protocol):
    """One model of embeddings; it runs in the inference process, or in a command."""

    @property
    def name(self) -> str:
        """The model with the digest of its weights: vectors of two names cannot be compared."""
        ...

    @property
    def dimensions(self) -> int:
        """Numbers per vector."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of length 1 (Euclidean) for each text, (texts, dimensions); an empty text is a text, too."""
        ...


class WordEmbedder(Embedder, Protocol):
    """One that can also say what each word means where it stands."""

    def embed_words(
        self, text: str, spans: Sequence[tuple[int, int]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The text's vector, and a row of length 1 for each span of characters, (spans, dimensions)."""
        ...
