"""A release can be made by anybody from a commit, twice the same, and says what is in it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from scripts.release import LOCK, PROVENANCE, ROOT, SBOM, SUMS, read_lock

pytestmark = pytest.mark.xdist_group("release")


def run(output: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The script as a person calls it."""
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "release.py"), str(output), *more],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One release, with a further artefact."""
    folder = tmp_path_factory.mktemp("release")
    extra = folder / "extra.whl"
    extra.write_bytes(b"compiled elsewhere")
    done = run(folder / "out", "--also", str(extra))
    assert done.returncode == 0, done.stderr
    return folder / "out"


def read(path: Path) -> Any:
    """A JSON file."""
    return json.loads(path.read_text("utf-8"))


def test_the_sums_cover_every_other_file(built: Path) -> None:
    """`sha256sum --check SHA256SUMS` accepts the folder, and nothing lies there unsummed."""
    sums = {line[66:]: line[:64] for line in (built / SUMS).read_text().splitlines()}
    assert set(sums) == {path.name for path in built.iterdir()} - {SUMS}
    for name, digest in sums.items():
        assert hashlib.sha256((built / name).read_bytes()).hexdigest() == digest


def test_the_same_commit_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    """Somebody who doubts the release builds it again and compares the sums."""
    assert run(tmp_path / "again").returncode == 0
    for path in (tmp_path / "again").glob("penstock-*"):
        assert path.read_bytes() == (built / path.name).read_bytes()
    assert (tmp_path / "again" / SBOM).read_bytes() == (built / SBOM).read_bytes()


def test_the_packages_hold_the_product_and_nothing_of_the_machine(built: Path) -> None:
    """The wheel has code, schema and type marker; neither package has tests, locks or a virtual environment."""
    (wheel,) = built.glob("penstock-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"penstock/cli/serve.py", "penstock/py.typed", "penstock/config/penstock.schema.json"} <= set(names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"penstock"}
    (sdist,) = built.glob("penstock-*.tar.gz")
    with tarfile.open(sdist) as packed:
        inside = {name.split("/")[1] for name in packed.getnames() if "/" in name}
        owners = {member.uname for member in packed.getmembers()}
    assert {"src", "docs", "README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml", "PKG-INFO"} <= inside
    assert inside.isdisjoint({"tests", ".venv", "requirements", ".git"})
    assert owners <= {""}


def test_the_sbom_lists_the_hashed_lock(built: Path) -> None:
    """Each package of the lock is a component with its version and hashes, and hangs on who requires it."""
    bom = read(built / SBOM)
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    assert bom["serialNumber"].startswith("urn:uuid:")
    root = bom["metadata"]["component"]["bom-ref"]
    parts = {part["bom-ref"]: part for part in bom["components"]}
    assert len(parts) == len(bom["components"]) > 10
    assert all(part["purl"].startswith("pkg:pypi/") and part["hashes"] for part in parts.values())
    edges = {each["ref"]: set(each["dependsOn"]) for each in bom["dependencies"]}
    assert set(edges) == {root, *parts}
    assert {parts[ref]["name"] for ref in edges[root]} >= {"uvloop", "httptools", "msgspec", "click"}
    reached, left = {root}, [root]
    while left:
        new = edges[left.pop()] - reached
        reached |= new
        left += new
    assert reached == set(edges)


def test_the_provenance_ties_artefacts_to_the_commit(built: Path) -> None:
    """Every artefact is a subject by its digest, and the source is named by its commit, not by a place."""
    statement = read(built / PROVENANCE)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
    subjects = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}
    assert set(subjects) == {path.name for path in built.iterdir()} - {SUMS, PROVENANCE}
    for name, digest in subjects.items():
        assert hashlib.sha256((built / name).read_bytes()).hexdigest() == digest
    definition = statement["predicate"]["buildDefinition"]
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert definition["resolvedDependencies"][0]["digest"] == {"gitCommit": head}
    assert str(ROOT) not in (built / PROVENANCE).read_text()


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    """Old artefacts never slip into a new release."""
    (tmp_path / "old.whl").touch()
    done = run(tmp_path)
    assert done.returncode == 1
    assert "not empty" in done.stderr


def test_the_lock_reader_takes_every_pin() -> None:
    """No line of the lock is passed over: a package for each pin, with its hashes and its parents."""
    text = (ROOT / LOCK).read_text("utf-8")
    packages = read_lock(text)
    pins = [line for line in text.splitlines() if "==" in line.split(";")[0] and not line.startswith(" ")]
    assert len(packages) == len(pins)
    assert all(each["hashes"] and each["via"] for each in packages)
