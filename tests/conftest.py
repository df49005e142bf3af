"""What every test may ask for: recorded traffic, free ports, and the settings of the property tests."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import socket
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import trustme
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
CI = os.environ.get("CI", "").lower() not in {"", "0", "false"}

# Tests run side by side already: numpy's own threads would wait for each other, three times as long as the work takes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# `make test` goes over what can find something new; `make test-whole` over every case there is.
WHOLE = os.environ.get("UNDERSTUDY_WHOLE", "").lower() not in {"", "0", "false"}

# Recorded traffic and measured data lie beside the repository: third-party content, read in place, never committed.
SHARED = Path(os.environ.get("UNDERSTUDY_SHARED") or ROOT.parent / "shared")
SHARED_ABSENT = f"no shared data at {SHARED.name}/ beside the repository (set UNDERSTUDY_SHARED)"

# Shared runners are slow and uneven: a deadline per example would test the machine.
# In CI the examples are the same on each run; elsewhere each run looks for new ones.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if CI else "dev")


def shared(*parts: str) -> Path:
    """Return the path of shared data; without it, skip the test that asks (in CI, fail it)."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        reason = f"no shared data {'/'.join(parts)}" if SHARED.exists() else SHARED_ABSENT
        pytest.skip(reason, allow_module_level=True)
    return path


@cache
def read_recordings(name: str) -> tuple[dict[str, Any], ...]:
    """Return the records of `recordings/<name>.jsonl.gz` (or `.jsonl`), in file order; read once per process.

    An empty tuple where the file is absent, so that it can parametrize tests at collection.
    """
    packed, plain = SHARED / "recordings" / f"{name}.jsonl.gz", SHARED / "recordings" / f"{name}.jsonl"
    if packed.exists():
        text = gzip.decompress(packed.read_bytes())
    elif plain.exists():
        text = plain.read_bytes()
    else:
        return ()
    # Only "\n" ends a record: some recorded strings hold U+2028 and its kind.
    return tuple(json.loads(line) for line in text.split(b"\n") if line.strip())


@pytest.fixture(scope="session")
def recordings() -> Callable[[str], Iterator[dict[str, Any]]]:
    """Give `recordings(name)`: the recorded interactions of one file; skips (in CI: fails) without it."""

    def read(name: str) -> Iterator[dict[str, Any]]:
        records = read_recordings(name)
        if not records:
            shared("recordings", f"{name}.jsonl.gz")
        return iter(records)

    return read


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with a language model in ONNX that says known things (see `tiny_onnx`)."""
    for library in ("onnx", "onnxruntime_genai"):  # neither has wheels for every platform
        pytest.importorskip(library)
    from tiny_onnx import write_model

    return write_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def free_port() -> int:
    """Give a loopback TCP port that nothing listens on. Prefer binding port 0 and asking what it became."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pytest_configure(config: pytest.Config) -> None:
    """Let clients that are made without a word about certificates trust one authority, which signed nothing.

    Reading the system's list takes 30 ms of each client that a test makes, and no test talks to the world outside.
    Workers and child processes inherit it.
    """
    if hasattr(config, "workerinput"):
        return
    folder = mkdtemp(prefix="understudy-tests-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ["SSL_CERT_FILE"] = f"{folder}/nobody.pem"
    trustme.CA().cert_pem.write_to_path(os.environ["SSL_CERT_FILE"])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let `no_cover` hold for the child processes of a test, too."""
    told = os.environ.pop("COVERAGE_PROCESS_CONFIG", None) if item.get_closest_marker("no_cover") else None
    try:
        return (yield)
    finally:
        if told is not None:
            os.environ["COVERAGE_PROCESS_CONFIG"] = told


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let `@pytest.mark.shared("recordings")` say what a whole test needs."""
    for marker in item.iter_markers("shared"):
        shared(*marker.args)


def fail_in_ci(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip for want of shared data into a failure in CI: there, a test that did not run proves nothing."""
    if not CI or not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    if "shared data" in reason or "empty parameter set" in reason:
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: {reason.removeprefix('Skipped: ')}; in CI this is a failure"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    fail_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    fail_in_ci(report)
    return report
