"""What a suite said of one thing it checked, and what was expected of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

BASELINE = Path(__file__).with_name("baseline.yaml")
NEVER = ("*ServerError*", "*ServerTimeout*")
"""Cases that no baseline may excuse: whatever a caller sends, a 5xx of ours is a defect."""


class Said(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"  # by the suite itself


@dataclass(frozen=True, slots=True)
class Case:
    """One check of a suite over one upstream. `why`: what the suite said to a failure or a skip."""

    suite: str
    upstream: str
    name: str
    said: Said
    why: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """Cases that fail or are skipped, and why that is right. Patterns as of a shell, of which upstreams there may be several."""

    suite: str
    upstreams: tuple[str, ...]
    case: str
    reason: str

    def covers(self, case: Case) -> bool:
        """Whether it speaks of this case."""
        return (
            case.suite == self.suite
            and any(fnmatchcase(case.upstream, pattern) for pattern in self.upstreams)
            and fnmatchcase(case.name, self.case)
        )


def read_baseline(path: Path = BASELINE) -> list[Known]:
    """The known failures. `upstreams` is every one where it is left out."""
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [Known(one["suite"], tuple(one.get("upstreams", ["*"])), one["case"], one["reason"]) for one in told]


@dataclass(frozen=True, slots=True)
class Surprise:
    """A case that did not go as the baseline says."""

    case: Case
    what: str


def surprises(cases: Sequence[Case], known: Sequence[Known]) -> list[Surprise]:
    """New failures, and known ones that pass: both mean that something changed which somebody should look at."""
    found = []
    for case in cases:
        expected = next((one for one in known if one.covers(case)), None)
        if case.said is Said.PASSED and expected is not None:
            found.append(Surprise(case, "passes, though the baseline knows it as failing: take it out"))
        elif case.said is not Said.PASSED and expected is None:
            found.append(Surprise(case, f"{case.said}, which the baseline does not know"))
        elif case.said is not Said.PASSED and any(fnmatchcase(case.name, never) for never in NEVER):
            found.append(Surprise(case, "failed, which no baseline may excuse"))
    return found


def unmatched(cases: Sequence[Case], known: Iterable[Known]) -> list[Known]:
    """Known failures of suites that ran, which no case is covered by: they speak of what is gone."""
    ran = {case.suite for case in cases}
    return [one for one in known if one.suite in ran and not any(one.covers(case) for case in cases)]
