"""Answers without end: written block by block, so that only the caller can run out of memory."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator

from understudy.faults import Packing, Plan
from understudy.mock.wire import Connection

BLOCK_BYTES = 64 * 1024
_OPENS, _CLOSES = b'{"padding":"', b'"}'
_GZIP = 16 + zlib.MAX_WBITS


async def send(plan: Plan, stream_type: str, connection: Connection) -> None:
    """So many bytes of JSON in one text, or in one event or line of a stream; ends early when the client hangs up."""
    headers = [("content-type", stream_type if plan.stream else "application/json")]
    mark = b"data: " if plan.stream and stream_type.startswith("text/event-stream") else b""
    opens, closes = mark + _OPENS, _CLOSES + (b"\n\n" if plan.stream else b"")
    blocks = _blocks(opens, plan.giant_bytes, closes)
    length = None
    if plan.packing is Packing.GZIP:
        headers.append(("content-encoding", "gzip"))
        blocks = _packed(blocks)
    elif plan.packing is Packing.ANNOUNCED and not plan.stream:
        length = len(opens) + plan.giant_bytes + len(closes)
    connection.head(200, headers, length=length)
    for block in blocks:
        await connection.send(block)
        await asyncio.sleep(0)  # others have their turn, too
    connection.finish()


def _blocks(opens: bytes, size: int, closes: bytes) -> Iterator[bytes]:
    yield opens
    block = b"x" * BLOCK_BYTES
    for begin in range(0, size, BLOCK_BYTES):
        yield block[: size - begin]
    yield closes


def _packed(blocks: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=_GZIP)
    for block in blocks:
        yield packer.compress(block)
    yield packer.flush()
