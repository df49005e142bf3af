"""Prefers the target that takes the request as it is: its wire format, all it asks for, and its size with room to spare."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Known, Part, Parts
from understudy.core.target import Target
from understudy.core.value import value

SPARE = 2.0
"""How many times its prompt a request should fit into the window: estimates are off, and an answer needs room."""


@value
class Capability:
    """Prefers the target that takes the request as it is: its wire format, all it asks for, and its size with room to spare.

    Score: how many of these are in doubt: the target speaks the caller's wire format (nothing is translated); its window is known to
    hold twice the prompt; it is known to write as much as `max_tokens`; each feature that the request needs and another wire format
    cannot carry. Whoever lacks a feature for certain is left out before. Not for choosing between models that can all do it: all are equals.
    """

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """Doubts."""
        needs, dialect = ask.needs, ask.dialect
        window, answer, features = needs.tokens_in * SPARE, needs.max_tokens or 0, needs.features
        scores = []
        for candidate in candidates:
            target = candidate.entry.target
            scores.append(
                (dialect not in target.dialects)
                + (target.context_tokens is None or target.context_tokens < window)
                + (answer > 0 and (target.max_output_tokens is None or target.max_output_tokens < answer))
                + (_doubtful(target, features) if features else 0.0)
            )
        return scores

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The doubts, each by name; 0 where there is none."""
        needs, found = ask.needs, []
        for candidate in candidates:
            target = candidate.entry.target
            window, longest = target.context_tokens, target.max_output_tokens
            answer = needs.max_tokens or 0
            roomy = window is not None and window >= needs.tokens_in * SPARE
            writes = answer == 0 or (longest is not None and longest >= answer)
            known = Known.UNKNOWN if window is None else Known.LISTED
            found.append(
                [
                    Part("another wire format", float(ask.dialect not in target.dialects)),
                    Part("window not twice the prompt", float(not roomy), window, "tokens", known),
                    Part("shorter answers", float(not writes), longest, "tokens"),
                    Part("features in doubt", _doubtful(target, needs.features)),
                ]
            )
        return found


def _doubtful(target: Target, features: tuple[str, ...]) -> float:
    return float(sum(feature in target.lacks or feature in target.lacks_in_translation for feature in features))


STRATEGY = Capability
