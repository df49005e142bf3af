"""What a caller of the library may catch.

UnderstudyError
+-- ConfigurationError      the configuration cannot be used; names file, line and what to do
+-- RequestFailed           no answer: carries the failure and every attempt
    +-- BadRequest          the caller's own mistake: sending it again will not help
"""

from __future__ import annotations

from understudy.core.failure import Failure
from understudy.core.outcome import Outcome


class UnderstudyError(Exception):
    """Everything that this library raises on purpose."""


class ConfigurationError(UnderstudyError):
    """The configuration cannot be used. Each problem says where it stands and what to do."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RequestFailed(UnderstudyError):
    """No target answered. `failure` says why, `attempts` what was tried, `retry_after_s` when to come back."""

    def __init__(self, failure: Failure, attempts: tuple[Outcome, ...] = (), decision: str | None = None) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.attempts = attempts
        self.decision = decision
        self.retry_after_s = failure.retry_after_s


class BadRequest(RequestFailed):
    """The request itself is at fault."""
