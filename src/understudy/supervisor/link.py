"""The link between supervisor and worker: frames of a length and a message, over a socket pair.

Down go pickled values: the worker is our own child and runs our own code. Up goes JSON only: what a worker says is data to
the supervisor, never code.
"""

from __future__ import annotations

import asyncio
import pickle
import struct
from typing import Any

import msgspec

from understudy.config import Configuration
from understudy.core.event import BreakerChanged, CoolDownSet, ProbeExpected
from understudy.core.failure import FailureKind, Implicates
from understudy.core.resilience.breaker import Event as BreakerEvent
from understudy.core.resilience.breaker import State
from understudy.core.value import value
from understudy.local.places import Whereabouts
from understudy.registry import Visitors

FRAME_BYTES_MAX = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")


@value
class News:
    """A sibling's breaker or cool-down changed, or it is going to probe a target."""

    event: BreakerChanged | CoolDownSet | ProbeExpected


@value
class Operate:
    """An operator's word to a target's breakers."""

    target: str
    event: BreakerEvent


@value
class Switch:
    """An operator's word to a rule; None: as it is written."""

    rule: str
    enabled: bool | None


Word = News | Operate | Switch | Whereabouts
"""What a worker does at once, without an answer."""


@value
class Setup:
    """The first message down. `index`: which worker this is, out of `workers`. `visitors`: what other distributions offer.

    `so_far`: what the others were told before it came and still holds, to be done before the first request is taken.
    """

    configuration: Configuration
    index: int
    workers: int
    visitors: Visitors
    so_far: tuple[Word, ...] = ()


@value
class Ask:
    """A question; the answer comes up with its number. `about`: `stats`, `breakers`, `rules` or `decision` (then `id`)."""

    number: int
    about: str
    id: str = ""


@value
class Drain:
    """Stop accepting, finish what runs within `grace_s`, then end."""

    grace_s: float


Down = Setup | Word | Ask | Drain


def write_down(writer: asyncio.StreamWriter, message: Down) -> None:
    """Send a message to a worker."""
    _write(writer, pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))


async def read_down(reader: asyncio.StreamReader) -> Down | None:
    """The next message from the supervisor; None at the link's end."""
    frame = await _read(reader)
    return None if frame is None else pickle.loads(frame)  # noqa: S301  our own parent, over a private socket pair


def write_up(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    """Send a message to the supervisor."""
    _write(writer, msgspec.json.encode(message))


async def read_up(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next message from a worker; None at the link's end."""
    frame = await _read(reader)
    return None if frame is None else msgspec.json.decode(frame, type=dict[str, Any])


def news_of(told: dict[str, Any]) -> BreakerChanged | CoolDownSet | ProbeExpected:
    """An event as it came up the link."""
    if "state" in told:
        return BreakerChanged(told["target"], told["breaker"], State(told["state"]), told["rest_s"], told["at_s"])
    if "scope" not in told:
        return ProbeExpected(told["target"], told["rest_s"], told["at_s"])
    scope, kind = Implicates(told["scope"]), FailureKind(told["kind"])
    return CoolDownSet(told["target"], scope, kind, told["rest_s"], told["at_s"])


def _write(writer: asyncio.StreamWriter, frame: bytes) -> None:
    if not writer.is_closing():
        writer.write(_LENGTH.pack(len(frame)) + frame)


async def _read(reader: asyncio.StreamReader) -> bytes | None:
    try:
        (size,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if size > FRAME_BYTES_MAX:
            return None
        return await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
