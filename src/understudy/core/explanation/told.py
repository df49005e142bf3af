"""What an explanation holds: plain values all the way down, so that it can be printed, sent and compared."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from math import isfinite
from typing import Any

from understudy.core.candidate import Exclusion
from understudy.core.parts import Part
from understudy.core.rules.ruling import Ruling
from understudy.core.value import JsonObject, keyword_value


@keyword_value
class Considered:
    """One eligible target. Lower scores come first.

    `parts`: of its score, they add up to it; () where nobody had to be preferred, or the strategy does not tell. `among_equals`: by what the
    balancer placed it among those of the same score, () where it had no say. `recovering`: its breaker closed a moment ago, so that it has
    not its whole traffic yet. `attempts`: that the figures of late rest on, faded; `seen`: ever, in this worker. `age_s`: since the last one, None
    before any. `sources`: (figure, who gave it), for figures that the configuration left out.
    """

    target: str
    score: float
    parts: tuple[Part, ...]
    among_equals: tuple[Part, ...]
    recovering: bool
    attempts: float
    seen: int
    age_s: float | None
    sources: tuple[tuple[str, str], ...]


@keyword_value
class Confidence:
    """How sure the first place is.

    `by`: what gave it: `alone`, `score`, `balancer` (the scores are equal), `look` (a stale target's turn to be looked at), `chance`, `recovery` (who has
    the better score has just recovered). `next`: who comes next, `lead`: how much worse its score is, `lead_share`: the same as a share of
    the larger score; None where there is none, or no such number. `known`: how well what was weighed between them is known: `settled` (lists and prices:
    nothing that changes by itself), `well` (at least 10 attempts of late on both sides, within 5 minutes), `little`, `assumed` (a prior or an unknown
    figure took part). `attempts`: fewest of late, `age_s`: longest ago, of the two; None where nothing measured was weighed.
    `assumed`: which figures those are, as (target, part, why).
    """

    by: str
    next: str | None
    lead: float | None
    lead_share: float | None
    known: str
    attempts: float | None
    age_s: float | None
    assumed: tuple[tuple[str, str, str], ...]


@keyword_value
class Flip:
    """The smallest change of one input that puts somebody else first, found by choosing again.

    `input`: its name, `about`: whose (a target, a setting, a feature, a rule). `to`: what it is turned to; for what is scaled `factor`, else
    None. `was`, `becomes`: the figure in `unit`. `then`: who would be first; None: nobody of the tier. `assumed`: targets whose standing was not
    kept, taken for fresh.
    """

    input: str
    about: str
    to: Any
    factor: float | None
    was: Any
    becomes: Any
    unit: str
    then: str | None
    assumed: tuple[str, ...] = ()


@keyword_value
class Chosen:
    """One choice. `candidates`: the eligible ones, best first; `excluded`: everyone else. `flips`: one per input, the smallest first.

    `held`: inputs of which no change within the bounds puts anybody else first. `unsearched`: (input, why nobody looked).
    """

    number: int
    tier: str
    degraded: bool
    strategy: str
    balancer: str
    at_s: float
    candidates: tuple[Considered, ...]
    excluded: tuple[Exclusion, ...]
    confidence: Confidence | None
    flips: tuple[Flip, ...]
    held: tuple[str, ...]
    unsearched: tuple[tuple[str, str], ...]

    @property
    def first(self) -> str | None:
        """Who was to be asked; None when nobody was eligible."""
        return self.candidates[0].target if self.candidates else None


@keyword_value
class Explanation:
    """Everything that can be said of a decision. `at_s` of its choices counts from its beginning. `bounds`: of the search for flips, in words."""

    id: str
    route: str
    version: str
    ruling: Ruling | None
    choices: tuple[Chosen, ...]
    notes: tuple[str, ...]
    bounds: str

    def page(self) -> JsonObject:
        """The whole of it for JSON; numbers that JSON lacks are written as words (`"inf"`)."""
        page: JsonObject = plain(self)
        return page

    def __str__(self) -> str:
        """The whole of it for reading, in lines."""
        from understudy.core.explanation.words import lines

        return "\n".join(lines(self))


def plain(told: Any) -> Any:
    """A value as JSON may hold it: objects, lists, words, numbers. Infinities become words: JSON has none."""
    if isinstance(told, Enum):
        return told.value
    if isinstance(told, float):
        return told if isfinite(told) else str(told)
    if isinstance(told, (tuple, list)):
        return [plain(one) for one in told]
    if isinstance(told, dict):
        return {str(name): plain(one) for name, one in told.items()}
    if is_dataclass(told):
        return {field.name: plain(getattr(told, field.name)) for field in fields(told)}
    return told
