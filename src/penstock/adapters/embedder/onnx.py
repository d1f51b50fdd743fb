"""An installed sentence encoder on onnxruntime, one thread per call; implements ports.embedder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from penstock.adapters.embedder.place import GRAPH, TOKENIZER, read_card

# Padding costs as much as text: a batch holds texts of about one length.
BATCH = 32


class OnnxEmbedder:
    """Texts in, unit vectors out. Texts longer than `most_tokens` are cut at their end."""

    def __init__(self, folder: Path, *, most_tokens: int | None = None, threads: int = 1) -> None:
        """`most_tokens` shortens what the model would take. Raises EmbedderMissingError."""
        card = read_card(folder)
        self._card = card
        # The library's types leave its options open.
        self._tokenizer: Any = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.no_padding()
        tokens = min(most_tokens or card.most_tokens, card.most_tokens)
        self._tokenizer.enable_truncation(tokens)
        self._name = card.name if tokens == card.most_tokens else f"{card.name}-{tokens}"
        self._session = session_of(folder / GRAPH, threads)
        self._folder = folder
        self._threads = threads
        self._words: tuple[Any, str] | None = None

    @property
    def name(self) -> str:
        """See ports.embedder."""
        return self._name

    @property
    def dimensions(self) -> int:
        """See ports.embedder."""
        return self._card.dimensions

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See ports.embedder."""
        out = np.zeros((len(texts), self.dimensions), np.float32)
        if not len(texts):
            return out
        ids = [encoded.ids for encoded in self._tokenizer.encode_batch_fast(list(texts))]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        for begin in range(0, len(order), BATCH):
            places = order[begin : begin + BATCH]
            out[places] = self._run([ids[i] for i in places])
        return out

    def embed_words(
        self, text: str, spans: Sequence[tuple[int, int]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The text's vector, and one of length 1 for each span of its characters in this context.

        A span that was cut off has zeros: it is like nothing.
        """
        if self._words is None:
            self._words = _with_tokens(self._folder / GRAPH, self._threads)
        encoded = self._tokenizer.encode(text)
        ids = np.array([encoded.ids], np.int64)
        session, name = self._words
        vector, tokens = session.run(
            ["embedding", name], {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        )
        out = np.zeros((len(spans), self.dimensions), np.float32)
        offsets: list[tuple[int, int]] = encoded.offsets
        for row, (begin, end) in enumerate(spans):
            inside = [k for k, (b, e) in enumerate(offsets) if b < end and e > begin and e > b]
            if inside:
                mean = tokens[0, inside].mean(axis=0)
                out[row] = mean / max(float(np.linalg.norm(mean)), 1e-9)
        return np.asarray(vector[0], np.float32), out

    def _run(self, ids: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        longest = max(len(each) for each in ids)
        tokens = np.zeros((len(ids), longest), np.int64)
        mask = np.zeros((len(ids), longest), np.int64)
        for row, each in enumerate(ids):
            tokens[row, : len(each)] = each
            mask[row, : len(each)] = 1
        return run(self._session, tokens, mask)


def run(session: Any, tokens: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    """Vectors of tokens, (texts, dimensions)."""
    (made,) = session.run(["embedding"], {"input_ids": tokens, "attention_mask": mask})
    return np.asarray(made, np.float32)


def session_of(graph: Path | bytes, threads: int = 1) -> Any:
    """A graph ready to run, quietly, on so many threads."""
    library: Any = onnxruntime
    options = library.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    source = graph if isinstance(graph, bytes) else str(graph)
    return library.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _with_tokens(graph: Path, threads: int) -> tuple[Any, str]:
    """The graph with what it makes of each token as a second output, and that output's name."""
    library: Any = onnx
    model = library.load(graph)
    last = next(node for node in reversed(model.graph.node) if node.op_type == "LayerNormalization").output[0]
    kind = onnx.TensorProto.FLOAT
    model.graph.output.append(onnx.helper.make_tensor_value_info(last, kind, ["texts", "tokens", "hidden"]))
    return session_of(model.SerializeToString(), threads), str(last)
