"""Build a release: `python scripts/release.py OUTPUT_DIR [--also FILE …]`.

From the commit at HEAD, and nothing else, it makes the sdist and the pure wheel, an SBOM (CycloneDX), a
provenance statement (in-toto, SLSA) and SHA256SUMS. Times come from the commit, so the same commit built with
the same tools gives the same bytes. `--also` takes further artefacts, such as compiled wheels, into the
statement and the sums.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import uuid
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements/runtime.lock"
SBOM, PROVENANCE, SUMS = "sbom.cdx.json", "provenance.intoto.json", "SHA256SUMS"
COMMAND = "python scripts/release.py"
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)(?:\s*;\s*([^\\]+?))?\s*\\?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:penstock:sbom")


def git(*arguments: str) -> str:
    """What git says about this repository."""
    return subprocess.run(
        ["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def export(target: Path) -> None:
    """The files of HEAD."""
    archive = target / "source.tar"
    subprocess.run(["git", "archive", "--format=tar", "-o", str(archive), "HEAD"], cwd=ROOT, check=True)
    with tarfile.open(archive) as packed:
        # Our own archive; the `filter` argument is missing in Debian 12's Python 3.11.2.
        packed.extractall(target / "source")  # noqa: S202
    archive.unlink()


def build(source: Path, output: Path, epoch: str) -> list[Path]:
    """The sdist and the wheel, made by hatchling of this environment."""
    env = {**os.environ, "SOURCE_DATE_EPOCH": epoch, "PYTHONHASHSEED": "0"}
    env.pop("HATCH_BUILD_HOOKS_ENABLE", None)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(output)]
    subprocess.run(command, cwd=source, env=env, check=True, stdout=subprocess.DEVNULL)
    return sorted([*output.glob("*.tar.gz"), *output.glob("*.whl")])


def read_lock(text: str) -> list[dict[str, Any]]:
    """The packages of a hashed lock file: name, version, marker, hashes, and who requires them (`via`)."""
    packages: list[dict[str, Any]] = []
    for line in text.splitlines():
        stripped = line.strip()
        if pin := _PIN.match(line):
            name, version, marker = pin.groups()
            packages.append(
                {"name": name.lower(), "version": version, "marker": marker or "", "hashes": [], "via": []}
            )
        elif found := _HASH.search(stripped):
            packages[-1]["hashes"].append(found[1])
        elif stripped.startswith("#") and packages:
            word = stripped.removeprefix("#").strip().removeprefix("via").strip()
            packages[-1]["via"] += [word.split(" ")[0]] if word else []
    return packages


def sbom(version: str, packages: list[dict[str, Any]], when: str) -> dict[str, Any]:
    """CycloneDX 1.6. A component has the hashes of all files that the lock accepts for it."""
    root = f"pkg:pypi/penstock@{version}"
    refs = {each["name"]: f"pkg:pypi/{each['name']}@{each['version']}" for each in packages}
    needs: dict[str, list[str]] = {root: [], **{ref: [] for ref in refs.values()}}
    for each in packages:
        for parent in each["via"]:
            needs[refs.get(parent, root)].append(refs[each["name"]])
    content = json.dumps([version, packages], sort_keys=True)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_SPACE, content)}",
        "version": 1,
        "metadata": {
            "timestamp": when,
            "tools": {"components": [{"type": "application", "name": "penstock-release", "version": version}]},
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": "penstock",
                "version": version,
                "purl": root,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": [_component(each, refs[each["name"]]) for each in packages],
        "dependencies": [{"ref": ref, "dependsOn": sorted(set(found))} for ref, found in needs.items()],
    }


def _component(package: dict[str, Any], ref: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": ref,
        "name": package["name"],
        "version": package["version"],
        "purl": ref,
        "hashes": [{"alg": "SHA-256", "content": each} for each in package["hashes"]],
    }
    if package["marker"]:
        found["properties"] = [{"name": "penstock:marker", "value": package["marker"]}]
    return found


def provenance(subjects: list[Path], commit: str, version: str, lock: Path) -> dict[str, Any]:
    """What was built from what, as an in-toto statement with SLSA's predicate. It is not signed here."""
    tools = {name: metadata.version(name) for name in ("hatchling", "packaging", "pathspec")}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": path.name, "digest": {"sha256": digest(path)}} for path in subjects],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:penstock:release:1",
                "externalParameters": {"command": COMMAND, "version": version},
                "internalParameters": {"python": platform.python_version(), "tools": tools},
                "resolvedDependencies": [
                    {"name": "source", "digest": {"gitCommit": commit}},
                    {"name": LOCK, "digest": {"sha256": digest(lock)}},
                ],
            },
            "runDetails": {"builder": {"id": "urn:penstock:release-script", "version": {"penstock": version}}},
        },
    }


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_json(path: Path, content: dict[str, Any]) -> Path:
    """Readable and always in the same order."""
    path.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    return path


def release(output: Path, also: list[Path]) -> list[Path]:
    """Everything, into an empty folder; the files in the order of SHA256SUMS."""
    epoch, commit = git("show", "-s", "--format=%ct", "HEAD"), git("rev-parse", "HEAD")
    when = datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with tempfile.TemporaryDirectory() as folder:
        export(Path(folder))
        source = Path(folder) / "source"
        built = build(source, output, epoch)
        version = built[0].name.removeprefix("penstock-").split("-")[0].removesuffix(".tar.gz")
        lock = source / LOCK
        built += [Path(shutil.copy2(path, output)) for path in also]
        built.append(write_json(output / SBOM, sbom(version, read_lock(lock.read_text("utf-8")), when)))
        statement = provenance(built, commit, version, lock)
    built.append(write_json(output / PROVENANCE, statement))
    sums = output / SUMS
    sums.write_text("".join(f"{digest(path)}  {path.name}\n" for path in built), "utf-8")
    return [*built, sums]


def main() -> int:
    """Check the place, build, list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="a folder that is empty or new")
    parser.add_argument("--also", type=Path, action="append", default=[], help="a further artefact")
    options = parser.parse_args()
    output = options.output.absolute()
    output.mkdir(parents=True, exist_ok=True)
    if any(output.iterdir()):
        print(f"{options.output} is not empty; name a new folder", file=sys.stderr)
        return 1
    if git("status", "--porcelain"):
        print("note: uncommitted changes are not part of the release", file=sys.stderr)
    for path in release(output, options.also):
        print(f"{path.stat().st_size:>10}  {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
