"""Tests that need shared data say so when it is absent: a skip with its reason, and in CI a failure."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from conftest import ROOT

TEST = """
import pytest
from conftest import read_recordings, shared

def test_asks_for_a_path():
    shared("recordings")

@pytest.mark.shared("recordings")
def test_is_marked():
    pass

def test_reads(recordings):
    recordings("messages")

@pytest.mark.parametrize("record", read_recordings("messages"))
def test_takes_each(record):
    pass

@pytest.mark.skip(reason="has a reason of its own")
def test_is_skipped_for_another_reason():
    pass
"""


MODULE = "from conftest import shared\nshared('recordings')\n"


@pytest.mark.no_cover
@pytest.mark.parametrize(("ci", "closing"), [("", "6 skipped in"), ("true", "2 failed, 1 skipped, 3 errors in")])
def test_absent_data_skips_a_test_but_fails_it_in_ci(tmp_path, ci, closing):
    (tmp_path / "conftest.py").write_bytes((ROOT / "tests" / "conftest.py").read_bytes())
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = shared\nasyncio_mode = auto\npythonpath = .\n")
    (tmp_path / "test_data.py").write_text(TEST)
    (tmp_path / "test_module.py").write_text(MODULE)
    environment = os.environ | {"CI": ci, "UNDERSTUDY_SHARED": str(tmp_path / "absent")}
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    result = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=50)
    assert result.stdout.splitlines()[-1].startswith(closing), result.stdout
    assert result.returncode == (1 if ci else 0)
