from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from penstock.adapters.embedder.graph import BertShape, GraphError, sentence_encoder
from penstock.adapters.embedder.install import InstallError, install
from penstock.adapters.embedder.onnx import OnnxEmbedder, run, session_of
from penstock.adapters.embedder.place import EmbedderMissingError, read_card
from penstock.adapters.tensor_file import tensor_bytes

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "river", "mill", "opens", "gate", "water"]
HIDDEN, HEADS, LAYERS, WIDE, PLACES = 32, 4, 2, 48, 24
Weights = dict[str, NDArray[np.float32]]


def tiny_weights(seed: int = 0) -> Weights:
    """A BERT of two small layers with random weights, by the names of a checkpoint."""
    rng = np.random.default_rng(seed)

    def some(*shape: int) -> NDArray[np.float32]:
        return rng.normal(0.0, 0.25, shape).astype(np.float32)

    made: Weights = {
        "embeddings.word_embeddings.weight": some(len(WORDS), HIDDEN),
        "embeddings.position_embeddings.weight": some(PLACES, HIDDEN),
        "embeddings.token_type_embeddings.weight": some(2, HIDDEN),
        "embeddings.LayerNorm.weight": 1 + some(HIDDEN),
        "embeddings.LayerNorm.bias": some(HIDDEN),
    }
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        sizes = {"attention.self.query": (HIDDEN, HIDDEN), "attention.self.key": (HIDDEN, HIDDEN)}
        sizes |= {"attention.self.value": (HIDDEN, HIDDEN), "attention.output.dense": (HIDDEN, HIDDEN)}
        sizes |= {"intermediate.dense": (WIDE, HIDDEN), "output.dense": (HIDDEN, WIDE)}
        for name, size in sizes.items():
            made[f"{at}.{name}.weight"], made[f"{at}.{name}.bias"] = some(*size), some(size[0])
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            made[f"{at}.{name}.weight"], made[f"{at}.{name}.bias"] = 1 + some(HIDDEN), some(HIDDEN)
    return made


def by_hand(w: Weights, ids: list[int]) -> NDArray[np.float64]:
    """The same encoder written down once more, one text at a time, without any graph."""

    def norm(x: NDArray[Any], name: str) -> NDArray[Any]:
        spread = np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return (x - x.mean(-1, keepdims=True)) / spread * w[f"{name}.weight"] + w[f"{name}.bias"]

    def dense(x: NDArray[Any], name: str) -> NDArray[Any]:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][ids].astype(np.float64)
    x = (
        x
        + w["embeddings.position_embeddings.weight"][: len(ids)]
        + w["embeddings.token_type_embeddings.weight"][0]
    )
    x = norm(x, "embeddings.LayerNorm")
    size = HIDDEN // HEADS
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        q, k, v = (dense(x, f"{at}.attention.self.{name}") for name in ("query", "key", "value"))
        seen: list[NDArray[Any]] = []
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            scores = np.exp(q[:, part] @ k[:, part].T / math.sqrt(size))
            seen.append(scores / scores.sum(-1, keepdims=True) @ v[:, part])
        x = norm(
            dense(np.concatenate(seen, -1), f"{at}.attention.output.dense") + x,
            f"{at}.attention.output.LayerNorm",
        )
        wide = dense(x, f"{at}.intermediate.dense")
        wide = wide * 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        x = norm(dense(wide, f"{at}.output.dense") + x, f"{at}.output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def tiny_model(folder: Path) -> Path:
    """A folder as a hub has it, of the tiny encoder."""
    folder.mkdir()
    told = {
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "hidden_act": "gelu",
    }
    (folder / "config.json").write_text(json.dumps(told))
    (folder / "model.safetensors").write_bytes(tensor_bytes(tiny_weights(), {}))
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()  # pyright: ignore[reportAttributeAccessIssue]
    ends = [("[CLS]", 2), ("[SEP]", 3)]
    tokenizer.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", None, ends)  # pyright: ignore[reportAttributeAccessIssue]
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_the_graph_computes_what_the_architecture_says() -> None:
    """Padded and alone, each text's vector is that of the encoder written down by hand."""
    weights = tiny_weights()
    model = sentence_encoder(weights, BertShape(HIDDEN, LAYERS, HEADS, 1e-12))
    session = session_of(model.SerializeToString())
    long, short = [2, 4, 5, 7, 8, 3], [2, 9, 3]
    ids = np.array([long, [*short, 0, 0, 0]], np.int64)
    mask = np.array([[1] * 6, [1, 1, 1, 0, 0, 0]], np.int64)
    made = run(session, ids, mask)
    np.testing.assert_allclose(made[0], by_hand(weights, long), atol=2e-5)
    np.testing.assert_allclose(made[1], by_hand(weights, short), atol=2e-5)


def test_weights_of_something_else_are_refused() -> None:
    """A missing matrix is named, and so is an architecture that is no BERT."""
    weights = tiny_weights()
    del weights["encoder.layer.1.output.dense.weight"]
    with pytest.raises(GraphError, match=r"layer\.1\.output\.dense"):
        sentence_encoder(weights, BertShape(HIDDEN, LAYERS, HEADS, 1e-12))
    with pytest.raises(GraphError, match="gelu"):
        BertShape.read(
            '{"hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1, "hidden_act": "relu"}'
        )


def test_an_embedder_is_installed_from_a_folder_and_gives_unit_vectors(tmp_path: Path) -> None:
    """The vectors have length one, do not depend on their neighbours, and an empty text has one, too."""
    source = tiny_model(tmp_path / "source")
    said: list[str] = []
    card = install(tmp_path / "installed", str(source), said.append)
    assert (card.dimensions, card.most_tokens) == (HIDDEN, PLACES)
    embedder = OnnxEmbedder(tmp_path / "installed")
    texts = ["the river", "the mill opens the gate", ""]
    together = embedder.embed(texts)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_allclose(embedder.embed([text])[0], vector, atol=0.05)
    assert embedder.embed([]).shape == (0, HIDDEN)
    assert any("cosine" in each for each in said)


def test_a_shortened_embedder_has_a_name_of_its_own(tmp_path: Path) -> None:
    """Vectors of another cut cannot be compared, so that a model trained on one refuses the other."""
    install(tmp_path / "installed", str(tiny_model(tmp_path / "source")), lambda _: None)
    whole, cut = OnnxEmbedder(tmp_path / "installed"), OnnxEmbedder(tmp_path / "installed", most_tokens=4)
    assert whole.name != cut.name
    np.testing.assert_array_equal(cut.embed(["the river"]), cut.embed(["the river mill opens"]))


def test_a_failed_install_leaves_what_was_there(tmp_path: Path) -> None:
    """Damaged weights are an error that names them, and the installed embedder still works."""
    good, bad = tiny_model(tmp_path / "good"), tiny_model(tmp_path / "bad")
    (bad / "model.safetensors").write_bytes(b"\xff" * 64)
    before = install(tmp_path / "installed", str(good), lambda _: None)
    with pytest.raises(InstallError, match="safetensors"):
        install(tmp_path / "installed", str(bad), lambda _: None)
    assert read_card(tmp_path / "installed") == before
    with pytest.raises(InstallError, match="must be a wheel"):
        install(tmp_path / "installed", str(tmp_path / "nowhere"), lambda _: None)


def test_changed_files_are_noticed(tmp_path: Path) -> None:
    """An embedder whose graph is not the one that was installed is not used."""
    install(tmp_path / "installed", str(tiny_model(tmp_path / "source")), lambda _: None)
    with (tmp_path / "installed" / "model.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(EmbedderMissingError, match="were changed"):
        OnnxEmbedder(tmp_path / "installed")
    with pytest.raises(EmbedderMissingError, match="penstock embedder install"):
        read_card(tmp_path / "elsewhere")
