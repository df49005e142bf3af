"""Fixtures for the tests of sources: a cloud, a client, and what a source may use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from credentials.clouds import NOW_S, Cloud
from understudy.credentials import Means
from understudy.transport.client import Client


@pytest.fixture
async def cloud() -> AsyncIterator[Cloud]:
    one = Cloud()
    await one.server.listen()
    yield one
    one.gate.set()
    await one.server.drain(0.0)
    assert one.errors == []


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    one = Client()
    yield one
    await one.close()


@pytest.fixture
def means(client: Client, tmp_path: Path) -> Callable[..., Means]:
    """What a source may use, with these variables; its home is empty, its time stands still."""

    def made(**env: str) -> Means:
        return Means(env={"HOME": str(tmp_path / "home"), **env}, folder=tmp_path, http=client, wall_s=lambda: NOW_S)

    return made
