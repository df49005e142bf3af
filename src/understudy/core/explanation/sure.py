"""How sure a first place is: how far ahead, and how well known what was weighed."""

from __future__ import annotations

from math import isfinite

from understudy.core.explanation.told import Confidence, Considered
from understudy.core.parts import LEARNED, Known, Part

ATTEMPTS = 10.0
AGE_S = 300.0
"""Figures of fewer attempts of late, or older ones, are little known: by then half of what was learned has faded."""

NOT_KNOWN = (Known.PRIOR, Known.UNKNOWN)


def confidence(candidates: tuple[Considered, ...]) -> Confidence | None:
    """How sure the first of them is; None where there is none."""
    if not candidates:
        return None
    first = candidates[0]
    if len(candidates) == 1:
        return Confidence(
            by="alone",
            next=None,
            lead=None,
            lead_share=None,
            known="settled",
            attempts=None,
            age_s=None,
            assumed=(),
        )
    two = candidates[:2]
    by = _by(*two)
    weighed = [(one, part) for one in two for part in _weighed(one, by)]
    assumed = tuple((one.target, part.name, part.known.value) for one, part in weighed if part.known in NOT_KNOWN)
    learned = [one for one in two if any(whose is one and part.known in LEARNED for whose, part in weighed)]
    attempts = min([one.attempts for one in learned], default=None)
    ages = [one.age_s for one in learned]
    age_s = None if None in ages else max([age for age in ages if age is not None], default=None)
    if assumed:
        known = "assumed"
    elif attempts is None:
        known = "settled"
    else:
        fresh = age_s is not None and age_s <= AGE_S
        known = "well" if attempts >= ATTEMPTS and fresh else "little"
    lead = two[1].score - first.score
    larger = max(abs(two[1].score), abs(first.score))
    sane = isfinite(lead)
    return Confidence(
        by=by,
        next=two[1].target,
        lead=lead if sane else None,
        lead_share=min(1.0, abs(lead) / larger) if sane and larger else None,
        known=known,
        attempts=attempts,
        age_s=age_s,
        assumed=assumed,
    )


def _by(first: Considered, second: Considered) -> str:
    """What put the one before the other."""
    if any(part.known is Known.CHANCE and part.name == "look again" for part in first.parts):
        return "look"
    if first.score > second.score:
        return "recovery"
    if first.score == second.score:
        return "balancer"
    parts = (*first.parts, *second.parts)
    return "chance" if parts and all(part.known is Known.CHANCE for part in parts) else "score"


def _weighed(one: Considered, by: str) -> tuple[Part, ...]:
    """What decided about it: the parts of its score that weigh anything, and among equals those of its place."""
    parts = tuple(part for part in one.parts if part.adds or part.known in LEARNED)
    return parts + one.among_equals if by == "balancer" else parts
