"""What became of attempts, in words."""

from __future__ import annotations

from understudy.core.failure import Failure, FailureKind
from understudy.core.outcome import Outcome, Purpose, naming_attempts


def attempt(target: str, failure: Failure | None) -> Outcome:
    return Outcome(1, target, "primary", Purpose.FIRST, 0.0, 1.0, failure)


def test_a_message_names_every_attempt_that_failed_and_why() -> None:
    refused = attempt("a", Failure(FailureKind.RATE_LIMIT, "slow down"))
    lost = attempt("b", Failure(FailureKind.CONNECTION_LOST, "gone"))
    told = naming_attempts("nobody answered", (refused, lost, attempt("c", None)))
    assert told == "nobody answered [tried a: rate_limit (slow down); b: connection_lost (gone)]"


def test_a_message_without_failed_attempts_is_left_as_it_is() -> None:
    assert naming_attempts("nobody answered", ()) == "nobody answered"
    assert naming_attempts("nobody answered", (attempt("a", None),)) == "nobody answered"
