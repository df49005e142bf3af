"""What can go wrong with a provider: pure functions of time and dice, shared by the mock server, the simulated provider and sim/.

A registry folder: one module per fault, its stem the name in a script, its single `FAULT` the entry. A fault is given the
`Plan` of one attempt and gives back a worse one. The same schedule of faults therefore happens on real sockets and in virtual
time, and the same seed makes it happen again.

An attempt has phases (connect, reply, content, ending), and each fault spoils its own. Within a phase the first fault of the list
decides; between phases the earlier one does, as it would in the world: nobody sees a cut stream of a provider that refuses
connections. Times add up.
"""

from __future__ import annotations

from understudy.faults._hints import HINTS
from understudy.faults._lies import miscounted, mistyped
from understudy.faults._plan import (
    SAYS_SOMETHING,
    Connect,
    Content,
    Ending,
    Fault,
    Packing,
    Plan,
    Reply,
    Timeline,
    Trouble,
    plan_among,
    plan_attempt,
    risk,
    up,
)
from understudy.faults._problems import PROBLEMS, ErrorReply, error_event, error_reply
from understudy.faults._scene import Arrivals, ArrivalsUntil, Scene
from understudy.faults._spell import aimed_at
from understudy.registry import Registry

__all__ = [
    "FAULTS",
    "HINTS",
    "PROBLEMS",
    "SAYS_SOMETHING",
    "Arrivals",
    "ArrivalsUntil",
    "Connect",
    "Content",
    "Ending",
    "ErrorReply",
    "Fault",
    "Packing",
    "Plan",
    "Reply",
    "Scene",
    "Timeline",
    "Trouble",
    "aimed_at",
    "error_event",
    "error_reply",
    "miscounted",
    "mistyped",
    "plan_among",
    "plan_attempt",
    "risk",
    "up",
]

FAULTS: Registry[Fault] = Registry("understudy.faults", "FAULT", kind="fault")
