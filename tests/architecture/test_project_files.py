"""What no file of the project may carry: a package index, a path of somebody's machine; and the pins fit what is asked."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from conftest import ROOT

UNTRACKED = {".venv", ".git", "__pycache__", "node_modules", "build", "dist"}
STATE = {".db", ".pyc", ".log"}
# In pieces, so that this file does not name them either.
INDEX_HOSTS = ["pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com", "yarnpkg" + ".com"]
INDEX_OPTIONS = re.compile(r"^\s*--(extra-)?index-url|^\s*--find-links|" + '"resolved": "' + "http", re.MULTILINE)
HOME_PATHS = re.compile(r"(?<![\w.$}])/(?:home|Users)/[a-z][\w.-]*/|C:\\Users\\")
PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==(\S+)(.*)$", re.MULTILINE)


def project_files() -> Iterator[tuple[Path, str]]:
    """Every text file of the project, whether committed yet or not."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in UNTRACKED
            and not name.endswith(("_cache", ".egg-info"))
            and name not in {".hypothesis", ".understudy"}
        ]
        for name in names:
            path = Path(folder, name)
            if path.suffix in STATE or name.startswith(".coverage"):
                continue
            try:
                yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def machine_hosts() -> list[str]:
    """Hosts of the package indexes that this machine's pip is set up with."""
    run = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(run, capture_output=True, text=True, check=False, timeout=30).stdout
    return re.findall(r"https?://(?:[^@/\s']*@)?([^/\s:']+)", listed)


@pytest.fixture(scope="module")
def files() -> list[tuple[Path, str]]:
    found = list(project_files())
    assert Path("pyproject.toml") in [path for path, _ in found]
    return found


def test_no_file_names_a_package_index(files):
    hosts = [*INDEX_HOSTS, *machine_hosts()]
    assert [f"{path}: {host}" for path, text in files for host in hosts if host in text] == []
    assert [str(path) for path, text in files if INDEX_OPTIONS.search(text)] == []


def test_no_lock_file_that_records_addresses_exists(files):
    assert [
        str(path) for path, _ in files if path.name == "uv.lock" or re.fullmatch(r"pylock.*\.toml", path.name)
    ] == []


def test_no_file_names_a_path_of_a_machine(files):
    own = [str(ROOT), str(ROOT.parent / "shared")]
    assert [f"{path}: {place}" for path, text in files for place in own if place in text] == []
    assert [f"{path}: {found[0]}" for path, text in files if (found := HOME_PATHS.search(text))] == []


def asked(project: dict[str, Any], groups: list[str], *, of_the_project: bool = True) -> list[Requirement]:
    """What these groups ask for, and what the core and every extra do."""
    table = project["project"]
    extras = chain.from_iterable(table["optional-dependencies"].values())
    lines = [*table["dependencies"], *extras] if of_the_project else []
    lines += [line for group in groups for line in project["dependency-groups"][group] if isinstance(line, str)]
    return [want for want in map(Requirement, lines) if want.name != table["name"]]


@pytest.mark.parametrize("name", ["run.txt", "dev.txt", "conformance.txt"])
def test_pins_satisfy_what_the_project_asks_for_and_carry_hashes(name):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("\\\n", "")
    pins = {match[1]: match for match in PIN.finditer(text)}
    groups = {"run.txt": ["build"], "dev.txt": ["build", "lint", "test"], "conformance.txt": ["conformance"]}[name]
    wanted = asked(project, groups, of_the_project=name != "conformance.txt")
    assert [pin for pin, match in pins.items() if "--hash=sha256:" not in match[3]] == []
    assert [str(want) for want in wanted if want.name.lower() not in pins] == []
    assert [str(want) for want in wanted if not want.specifier.contains(pins[want.name.lower()][2])] == []
