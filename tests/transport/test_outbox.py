"""Writes of one turn go out together, in order, and none is kept from a transport that must know of it."""

from __future__ import annotations

import asyncio

from understudy.transport.outbox import BYTES_MAX, JOINED_MAX_BYTES, WRITES_MAX, Outbox


class Pipe:
    """A transport that remembers."""

    def __init__(self, log: list[tuple[str, bytes]], name: str) -> None:
        self.log = log
        self.name = name
        self.closing = False

    def write(self, data: bytes) -> None:
        self.log.append((self.name, data))

    def is_closing(self) -> bool:
        return self.closing


async def test_writes_wait_for_the_end_of_the_turn_and_keep_their_order() -> None:
    log: list[tuple[str, bytes]] = []
    outbox, a, b = Outbox(), Pipe(log, "a"), Pipe(log, "b")
    outbox.write(a, b"1")  # type: ignore[arg-type]
    outbox.write(b, b"2")  # type: ignore[arg-type]
    outbox.write(a, b"3")  # type: ignore[arg-type]
    assert log == []
    await asyncio.sleep(0)
    assert log == [("a", b"1"), ("b", b"2"), ("a", b"3")]


async def test_many_writes_do_not_wait_for_the_last() -> None:
    log: list[tuple[str, bytes]] = []
    outbox, pipes = Outbox(), [Pipe(log, str(number)) for number in range(WRITES_MAX)]
    for pipe in pipes[:-1]:
        outbox.write(pipe, b"x")  # type: ignore[arg-type]
    assert log == []
    outbox.write(pipes[-1], b"x")  # type: ignore[arg-type]
    assert len(log) == WRITES_MAX


async def test_small_writes_to_one_transport_become_one_until_it_is_large_or_another_comes_between() -> None:
    log: list[tuple[str, bytes]] = []
    outbox, a, b = Outbox(), Pipe(log, "a"), Pipe(log, "b")
    half = b"h" * (JOINED_MAX_BYTES // 2)
    for pipe, data in ((a, half), (a, half), (a, b"1"), (a, b"2"), (b, b"3"), (a, b"4")):
        outbox.write(pipe, data)  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert log == [("a", half + half), ("a", b"12"), ("b", b"3"), ("a", b"4")]


async def test_a_fast_writer_reaches_its_transport_and_so_its_backpressure() -> None:
    log: list[tuple[str, bytes]] = []
    outbox, pipe = Outbox(), Pipe(log, "a")
    outbox.write(pipe, b"x" * BYTES_MAX)  # type: ignore[arg-type]
    assert len(log) == 1


async def test_a_transport_that_closed_meanwhile_is_left_alone() -> None:
    log: list[tuple[str, bytes]] = []
    outbox, gone, there = Outbox(), Pipe(log, "gone"), Pipe(log, "there")
    outbox.write(gone, b"1")  # type: ignore[arg-type]
    outbox.write(there, b"2")  # type: ignore[arg-type]
    gone.closing = True
    outbox.flush()
    assert log == [("there", b"2")]
    await asyncio.sleep(0)
    assert log == [("there", b"2")], "nothing is sent twice"
