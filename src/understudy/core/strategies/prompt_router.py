"""Prefers a cheap model where it will probably do as well as the strong one, told from the prompt by a model trained on your traffic.

`understudy train` makes the file from labelled outcomes of your own; see the guide on quality routing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from understudy.core.allowed import between
from understudy.core.candidate import Ask, Candidate
from understudy.core.parts import Known, Part, Parts
from understudy.core.prompts.heads import Trained
from understudy.core.target import Target
from understudy.core.value import value

UNSURE = -3.0
OTHERS = 4.0


@value
class PromptRouter:
    """Prefers the weak target where the expected loss of quality is below the calibrated threshold, else the strong one.

    Score: 0 for the weak target, threshold - (P(strong right) - P(weak right)) for the strong one, 4 for all others, which come
    after both. Unsure (no words, or a prompt unlike those of the training: -3): strong. P from logistic heads on about thirty
    traits of the last user turn. Not for kinds of prompts that were not in the training data: such routers transfer badly (an
    evaluation on data of your own tells); not without calibration.

    `file`: what `understudy train` wrote, beside the configuration. `quality`: the share of the strong model's quality to keep, the
    file's own by default. `weak`, `strong`: targets, by default those whose name or model the file gives.
    `trained`: the content of the file, which the configuration fills in.
    """

    file: str = ""
    quality: float | None = None
    weak: str = ""
    strong: str = ""
    trained: Trained | None = None

    reads: ClassVar[tuple[str, ...]] = ("prompt",)

    def __post_init__(self) -> None:
        """What cannot be meant. Raises `ValueError`."""
        between(0.0, 1.0, quality=self.quality)

    def scores(self, candidates: Sequence[Candidate], ask: Ask) -> list[float]:
        """See the class; without a trained model the positions in the list."""
        trained = self.trained
        if trained is None:
            return [candidate.entry.position for candidate in candidates]
        gain = trained.heads.gain(ask.needs.traits)
        lead = UNSURE if gain is None else trained.threshold(self.quality) - gain
        weak, strong = self.weak or trained.weak, self.strong or trained.strong
        scores = []
        for candidate in candidates:
            target = candidate.entry.target
            if is_meant(target, strong):
                scores.append(lead)
            else:
                scores.append(0.0 if is_meant(target, weak) else OTHERS)
        return scores

    def parts(self, candidates: Sequence[Candidate], ask: Ask) -> Parts:
        """The threshold and the gain foretold for the strong target; 0 for the weak one."""
        trained = self.trained
        if trained is None:
            return [[Part("position", position := one.entry.position, position)] for one in candidates]
        gain = trained.heads.gain(ask.needs.traits)
        weak, strong = self.weak or trained.weak, self.strong or trained.strong
        lead = [Part("unsure", UNSURE, None, known=Known.UNKNOWN)]
        if gain is not None:
            threshold = trained.threshold(self.quality)
            lead = [Part("threshold", threshold, threshold), Part("gain", -gain, gain, known=Known.REQUEST)]
        found: Parts = []
        for candidate in candidates:
            target = candidate.entry.target
            if is_meant(target, strong):
                found.append(list(lead))
            else:
                found.append([Part("weak", 0.0) if is_meant(target, weak) else Part("neither", OTHERS)])
        return found


def is_meant(target: Target, name: str) -> bool:
    """Whether a trained file's name means this target: its own name, its model, or what equal models are called."""
    return name in (target.name, target.model, target.profile.same_as)


STRATEGY = PromptRouter
