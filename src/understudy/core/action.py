"""What a walk asks for, and what it is told.

A walk is a generator: it yields one of four actions and is sent one reply. The engine performs them on sockets, the
simulator in virtual time. Every reply carries `now_s`, so a walk never needs a clock.

    Reserve(target)  ->  Held | Refused      a place at the target: breaker slot, rate, later money
    Start(target)    ->  Started             the attempt is under way
    Next(until_s)    ->  Ready | Failed | Timer   the first thing that happens to any open attempt, or nothing until then
    Relay(handle)    ->  Ended               the caller is given the answer, to its end

`Next` without an open attempt is a wait. Hedges and cascades are several `Start`s before one `Next`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from understudy.core.candidate import Entry
from understudy.core.failure import FailureKind
from understudy.core.outcome import Outcome, Purpose, Result
from understudy.core.value import value


@value
class Reserve:
    """Take a place at a target."""

    entry: Entry
    panic: bool = False


@value
class Start:
    """Begin an attempt in the place just held. `until_s`: when it must have its first content (or whole answer)."""

    entry: Entry
    number: int
    tier: str
    purpose: Purpose
    until_s: float


@value
class Next:
    """Wait for whatever comes first."""

    until_s: float


@value
class Relay:
    """Give the caller what this attempt answers. `until_s`: the request's deadline."""

    handle: int
    until_s: float


Action = Reserve | Start | Next | Relay


@value
class Held:
    """The place is taken. `test`: it is one of a half-open breaker's test slots."""

    now_s: float
    test: bool


@value
class Refused:
    """There is no place after all. `until_s`: when there may be one, None when nobody knows."""

    now_s: float
    kind: FailureKind
    until_s: float | None


@value
class Started:
    """The attempt is under way."""

    now_s: float
    handle: int


@value
class Ready:
    """An attempt has its first content, held back, or its whole answer."""

    now_s: float
    handle: int


@value
class Drafted(Ready):
    """An attempt has its whole answer, to be judged beside others. `gist`: what it comes to, None when it cannot be compared.

    `written`: its output tokens.
    """

    gist: str | None
    written: int


@value
class Failed:
    """An attempt is over before the caller saw anything of it."""

    now_s: float
    handle: int
    outcome: Outcome


@value
class Timer:
    """Nothing happened until `until_s`."""

    now_s: float


@value
class Ended:
    """The relay is over, well or not. `lost`: the attempts that were dropped when it began."""

    now_s: float
    outcome: Outcome
    lost: tuple[Outcome, ...] = ()


Reply = Held | Refused | Started | Ready | Failed | Timer | Ended
Walk = Generator[Action, Any, Result]
"""What it is sent depends on what it yielded, as the table above says: which a generator's type cannot."""
