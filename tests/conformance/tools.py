"""The suites' own programs: other people's code, fetched when first needed into a cache outside of the repository.

Python tools are installed by `make` from requirements/conformance.txt into a virtual environment of their own. The SDKs'
sources (for their tests) come through pip under the hashes of the same file; Node tools through npm, under the digest here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements" / "conformance.txt"
FETCH_MAX_S = 300.0
FETCHING = Lock()  # what several gateways want at once is fetched once
SOURCE_OF = ("-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--no-binary")  # fmt: skip
NODE_TOOLS = {
    "compatcanary": (
        "0.2.2",
        "sha512-16AofE9bptzJHx4hGJs7KYAy8QvRGz2wpAcIB8Wc017o/+H0dZ9//AT1ywd3kNOC/5dkXqQnblsFwI7YqN/jSA==",
    ),
}
"""Name -> version and digest of the package."""


class Unavailable(Exception):
    """A tool cannot be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the tools are. `cache`: everything fetched; `bin`: the programs of its virtual environment."""

    cache: Path

    @property
    def bin(self) -> Path:
        return self.cache / "venv" / "bin"

    def program(self, name: str) -> str:
        """A Python program. Raises `Unavailable`."""
        path = self.bin / name
        if not path.exists():
            raise Unavailable(f"{name} is not installed; `make conformance` does it")
        return str(path)

    def source(self, package: str) -> Path:
        """The unpacked source of a Python package, in the version that is installed. Raises `Unavailable`."""
        name, version, hashes = pin(package)
        folder = self.cache / "sources" / f"{name}-{version}"
        with FETCHING:
            if folder.exists():
                return folder
            wanted = self.cache / "sources" / f"{name}.txt"
            wanted.parent.mkdir(parents=True, exist_ok=True)
            wanted.write_text(f"{name}=={version} {' '.join(f'--hash={one}' for one in hashes)}\n", encoding="utf-8")
            run_quietly(
                [self.program("python"), *SOURCE_OF, name, "--requirement", str(wanted), "--dest", str(wanted.parent)]
            )
            with (
                tarfile.open(wanted.parent / f"{name}-{version}.tar.gz") as archive,
                TemporaryDirectory(dir=wanted.parent) as half,
            ):
                archive.extractall(half, filter="data")
                Path(half, folder.name).rename(folder)  # a source that is there is whole
        return folder

    def node_program(self, name: str) -> list[str]:
        """The command that runs a Node tool. Raises `Unavailable`."""
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            raise Unavailable("node and npm are not installed")
        version, digest = NODE_TOOLS[name]
        place = self.cache / "node" / f"{name}-{version}"
        with FETCHING:
            if not (place / "node_modules" / ".package-lock.json").exists():
                place.mkdir(parents=True, exist_ok=True)
                asked = ["--prefix", str(place), "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"]
                run_quietly([npm, "install", *asked, f"{name}@{version}"])
        told = json.loads((place / "node_modules" / ".package-lock.json").read_text(encoding="utf-8"))
        found = told["packages"][f"node_modules/{name}"]["integrity"]
        if found != digest:
            raise Unavailable(f"{name} {version} is not what it was: its digest is {found}")
        return [node, str(place / "node_modules" / ".bin" / name)]


def pin(package: str) -> tuple[str, str, list[str]]:
    """Name, version and hashes of a package, as requirements/conformance.txt has them."""
    text = REQUIREMENTS.read_text(encoding="utf-8").replace("\\\n", "")
    found = re.search(rf"^({re.escape(package)})==(\S+)(.*)$", text, re.MULTILINE)
    if found is None:
        raise Unavailable(f"{package} is not in {REQUIREMENTS.name}")
    return found[1], found[2], re.findall(r"--hash=(\S+)", found[3])


def run_quietly(command: list[str]) -> None:
    """Fetch something. Raises `Unavailable` with what it said."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH_MAX_S, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{Path(command[0]).name} took longer than {FETCH_MAX_S:g} s") from None
    if done.returncode:
        raise Unavailable(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()[-500:]}")


def cache_folder() -> Path:
    """Where everything fetched is kept: `UNDERSTUDY_CONFORMANCE_CACHE`, else the user's cache."""
    given = os.environ.get("UNDERSTUDY_CONFORMANCE_CACHE")
    return (
        Path(given)
        if given
        else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "understudy-conformance"
    )
