"""What a walk without an answer tells: one failure for all that was tried and left out, and when something recovers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.core.candidate import Entry, Exclusion
from understudy.core.failure import Failure, FailureKind, Implicates

if TYPE_CHECKING:
    from understudy.core.walk import Trip

_STRANGE = ("held_state", "operation", "vector_space")

_AMOUNTS_TO = {
    "breaker": FailureKind.CIRCUIT_OPEN,
    "limits": FailureKind.LOCAL_LIMIT,
    "capability": FailureKind.CAPABILITY_MISMATCH,
    "context_window": FailureKind.CONTEXT_LENGTH,
}


def earliest_recovery_s(trip: Trip) -> float | None:
    """The earliest time at which any target may be eligible again, beyond this request."""
    times = [out.until_s for out in trip.excluded.values() if out.until_s is not None and out.until_s > trip.now_s]
    for entry in trip.plan.entries:
        standing = trip.board.standings[entry.slot]
        if standing.cool_down_until_s > trip.now_s:
            times.append(standing.cool_down_until_s)
    return min(times, default=None)


def summary(trip: Trip) -> Failure:
    """One failure for all of it: the common kind, or what the mixture amounts to."""
    kind = common_kind(trip)
    retry_at_s = earliest_recovery_s(trip)
    retry_after_s = max(0.0, retry_at_s - trip.now_s) if retry_at_s is not None else None
    asked = [outcome.target for outcome in trip.attempts]
    told = [f"{out.target}: {out.reason}: {out.detail}" for name, out in trip.excluded.items() if name not in asked]
    others = f"; without {'; '.join(told)}" if told else ""  # the attempts stand beside it, in `Result.attempts`
    message = f"no target of route {trip.plan.name} answered{others}"
    failures = trip.failures()
    last = failures[-1] if failures else None
    if last is not None and last.implicates is Implicates.CALLER and last.kind is kind:
        return last  # the provider's own words help the caller most
    return Failure(kind, message, retry_after_s=retry_after_s)


def common_kind(trip: Trip) -> FailureKind:
    """What the caller is told it was."""
    failures = trip.failures()
    for failure in reversed(failures):
        if failure.implicates is Implicates.CALLER:
            return failure.kind
    if trip.now_s >= trip.deadline_s:
        return FailureKind.DEADLINE
    kinds = [failure.kind for failure in failures]
    asked = [outcome.target for outcome in trip.attempts]
    strangers = False  # who does something else says nothing about why those who do this failed
    for entry in trip.plan.entries:
        out = trip.excluded.get(entry.target.name)
        if out is not None and entry.target.name not in asked and not entry.target.stand_in:
            if out.reason in _STRANGE:
                strangers = True
            else:
                kinds.append(kind_of(trip, out, entry))
    if not kinds:
        return FailureKind.CAPABILITY_MISMATCH if strangers else FailureKind.NO_TARGET
    return kinds[0] if all(kind is kinds[0] for kind in kinds) else FailureKind.UNAVAILABLE


def kind_of(trip: Trip, out: Exclusion, entry: Entry) -> FailureKind:
    """The kind of failure that an exclusion amounts to."""
    if out.reason == "cool_down":
        return trip.board.standings[entry.slot].cool_down_kind or FailureKind.UNAVAILABLE
    if out.reason == "tried":  # refused before an attempt could begin
        return trip.tried[entry.slot].why
    return _AMOUNTS_TO.get(out.reason, FailureKind.NO_TARGET)
