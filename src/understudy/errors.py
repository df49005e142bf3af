"""What a caller of the library may catch.

UnderstudyError
+-- ConfigurationError      the configuration cannot be used; names file, line and what to do
+-- RequestFailed           no answer: carries the failure and every attempt
|   +-- BadRequest          the caller's own mistake: sending it again will not help
|   +-- StreamBroken        the answer broke off after its beginning: carries what came of it
+-- RouterNotEntered        a Router was used outside of `async with`, or on another event loop
"""

from __future__ import annotations

from understudy.core.failure import Failure
from understudy.core.outcome import Outcome, naming_attempts


class UnderstudyError(Exception):
    """Everything that this library raises on purpose."""


class ConfigurationError(UnderstudyError):
    """The configuration cannot be used. Each problem says where it stands and what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RequestFailed(UnderstudyError):
    """No target answered. `failure` says why, `attempts` what was tried, `retry_after_s` when to come back; its text names them all."""

    def __init__(self, failure: Failure, attempts: tuple[Outcome, ...] = (), decision: str | None = None) -> None:
        super().__init__(naming_attempts(failure.message, attempts))
        self.failure = failure
        self.attempts = attempts
        self.decision = decision
        self.retry_after_s = failure.retry_after_s


class BadRequest(RequestFailed):
    """The request itself is at fault."""


class StreamBroken(RequestFailed):
    """A stream was cut after its first content. `partial`: the answer as far as it came."""

    def __init__(
        self,
        failure: Failure,
        attempts: tuple[Outcome, ...] = (),
        decision: str | None = None,
        *,
        partial: object = None,
    ) -> None:
        super().__init__(failure, attempts, decision)
        self.partial = partial


class RouterNotEntered(UnderstudyError):
    """A Router was used outside of `async with`, or on another event loop than the one that entered it."""
