"""`import understudy` stays light: the public names are loaded when they are first asked for.

Method: wall time of fresh interpreters, the two modules in turn so that a busy machine slows both; the best of several
rounds, because noise only ever adds.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from conftest import ROOT

pytestmark = pytest.mark.no_cover

ROUNDS = 7
TIMED = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def bare(code: str) -> str:
    """Run code in a fresh interpreter that measures no coverage, and return what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "COV_"))}
    environment["PYTHONPATH"] = str(ROOT / "src")
    run = [sys.executable, "-c", code]
    return subprocess.run(run, env=environment, capture_output=True, text=True, check=True, timeout=30).stdout


def test_importing_understudy_costs_at_most_three_times_asyncio():
    bare("import understudy, asyncio")  # write the byte code once
    asyncio_s, understudy_s = [], []
    for _ in range(ROUNDS):
        asyncio_s.append(float(bare(TIMED.format("asyncio"))))
        understudy_s.append(float(bare(TIMED.format("understudy"))))
    assert min(understudy_s) <= 3 * min(asyncio_s)


def test_importing_understudy_loads_no_third_party_package():
    code = "import sys; before = set(sys.modules); import understudy; print(*(set(sys.modules) - before), sep='\\n')"
    roots = {name.split(".")[0] for name in bare(code).split()}
    assert roots - set(sys.stdlib_module_names) - {"_distutils_hack"} == {"understudy"}
