"""A mock for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from understudy.mock import Mock, start_mock


@pytest.fixture
async def mock() -> AsyncIterator[Mock]:
    async with await start_mock() as started:
        yield started
