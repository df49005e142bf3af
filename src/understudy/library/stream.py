"""An answer as it is written, for `async for`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from understudy.core.answer import Answer
from understudy.core.failure import FailureKind
from understudy.core.outcome import Result
from understudy.dialects import Dialect
from understudy.errors import RequestFailed, StreamBroken
from understudy.library.answers import ChatAnswer, Chunk
from understudy.library.hearing import StreamEar


class ChatStream:
    """Chunks as they come. Asking begins with the first `async for` (or `async with`).

    `answer`: the whole, once the last chunk was given. Raises `RequestFailed` before the first chunk when nobody answered,
    and `StreamBroken` in the middle when the stream was cut: its `partial` is what came.
    """

    def __init__(
        self,
        handle: Callable[[StreamEar], Coroutine[Any, Any, Result]],
        dialect: Dialect,
        failed: Callable[[Result], RequestFailed],
        told: Callable[[Answer, Result], ChatAnswer],
    ) -> None:
        self._handle = handle
        self._ear = StreamEar(dialect)
        self._failed = failed
        self._told = told
        self._task: asyncio.Task[Result] | None = None
        self._over = False
        self.answer: ChatAnswer | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk:
        if self._over:
            raise StopAsyncIteration
        if self._task is None:
            self._task = asyncio.create_task(_to_the_end(self._handle, self._ear))
        try:
            chunk = await self._ear.pieces.get()
        except asyncio.CancelledError:
            await self.aclose()
            raise
        if chunk is not None:
            return chunk
        self._over = True
        result = await self._task
        if result.winner is None:
            raise self._failed(result)
        answer = self._told(self._ear.assembly.answer(), result)
        if result.failure is not None:
            raise StreamBroken(result.failure, result.attempts, result.decision, partial=answer)
        self.answer = answer
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Read no further: the provider's stream is closed, at once."""
        self._over = True
        self._leave()
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # `break` out of `async for` drops the last reference: whoever reads no further must not be billed further.
        self._leave()

    def _leave(self) -> None:
        if self._task is not None and not self._task.done():
            self._ear.left = FailureKind.CLIENT_LEFT
            loop = self._task.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._task.cancel)  # the last reference may go on any thread


async def _to_the_end(handle: Callable[[StreamEar], Coroutine[Any, Any, Result]], ear: StreamEar) -> Result:
    """Never holds the `ChatStream`, so that dropping it is noticed. Puts a last None behind the pieces."""
    try:
        return await handle(ear)
    finally:
        if ear.left is None:
            await ear.pieces.put(None)
