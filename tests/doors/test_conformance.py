"""llm-comply over each inbound wire format and each upstream one: bodies and stream events against the published schemas.

`make conformance` runs more suites, over real processes. Known failures are listed with reasons; a new one fails the test, and so
does one that has gone.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from conformance.cases import Said
from conformance.suites.llm_comply import SURFACES, Surface, arguments, read
from conformance.upstreams import DOORS
from stage import PROVIDERS, Raise, two_targets
from understudy.mock import Mock

EXPECTED: dict[tuple[str, str], set[str]] = {}
"""(format, upstream) -> tests that fail, each with a comment that says why that is right."""


@pytest.mark.no_cover
@pytest.mark.parametrize("upstream", PROVIDERS)
@pytest.mark.parametrize("surface", [one for one in SURFACES if one.door in DOORS], ids=lambda one: one.format)
async def test_llm_comply_passes(
    raise_curtain: Raise, mocks: tuple[Mock, Mock], surface: Surface, upstream: str
) -> None:
    stage = await raise_curtain(two_targets(*mocks, upstream))
    program = shutil.which("llm-comply") or str(Path(sys.executable).parent / "llm-comply")
    process = await asyncio.create_subprocess_exec(
        program, *arguments(surface, stage.url, "any"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 50)
    results = read(out.decode())
    assert any(said is Said.PASSED for _, said, _ in results), err
    failed = {name: why for name, said, why in results if said is Said.FAILED}
    assert set(failed) == EXPECTED.get((surface.format, upstream), set()), str(failed)[:3000]
