"""An explanation as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from understudy.core.explanation.told import Chosen, Confidence, Considered, Explanation, Flip
from understudy.core.parts import Known, Part

BY = {
    "alone": "the only one who is eligible",
    "balancer": "by the balancer, the scores are equal",
    "chance": "by chance",
    "look": "looked at because nobody asked it for a while",
    "recovery": "the next one scores better and has just recovered",
    "score": "by score",
}
KNOWN = {
    "assumed": "resting on assumptions",
    "little": "little known",
    "settled": "settled: nothing that was weighed changes by itself",
    "well": "well known",
}


def lines(told: Explanation) -> Iterator[str]:
    """Everything, a line each."""
    yield f"decision {told.id}: route {told.route}, configuration {told.version}"
    if told.ruling is not None:
        yield from (f"  {one}" for one in told.ruling.told())
    yield from (f"  {note}" for note in told.notes)
    for choice in told.choices:
        yield from _choice(choice)


def _choice(choice: Chosen) -> Iterator[str]:
    ranked = ", ".join(f"{one.target} ({one.score:g})" for one in choice.candidates)
    yield f"  {choice.number}. {label(choice)}: {ranked or 'nobody eligible'}"
    yield from (f"     without {out.target}: {out.reason}: {out.detail}" for out in choice.excluded)
    for one in choice.candidates:
        if one.parts or one.among_equals:
            yield f"     {one.target}: {made_of(one)}"
    if choice.confidence is not None:
        yield f"     {sureness(choice.confidence)}"
    yield from (f"     {one}" for one in flipped(choice))


def label(choice: Chosen) -> str:
    """The tier, and whether its answers are labelled."""
    return f"{choice.tier} (degraded)" if choice.degraded else choice.tier


def made_of(one: Considered) -> str:
    """Its parts, by name."""
    parts = [part_words(part) for part in (*one.parts, *one.among_equals)]
    return "; ".join([*parts, *known_words(one)])


def part_words(part: Part) -> str:
    """One part: what it adds, and from what."""
    made = part.name
    if part.adds is not None:
        made += f" {part.adds:+.4g}"
        if part.weight is not None and part.loss is not None:
            made += f" = {part.weight:.3g} x {part.loss:.3g}"
    figure = figure_words(part.figure, part.unit) if part.figure is not None else ""
    if part.adds is None:
        made += f" {figure or 'unknown'}"
        figure = ""
    told = [word for word in (figure, part.known.value if part.known is not Known.LISTED else "") if word]
    return f"{made} ({', '.join(told)})" if told else made


def figure_words(figure: Any, unit: str) -> str:
    """A figure in its unit."""
    if isinstance(figure, (tuple, list)):
        return f"{'/'.join(f'{one:.4g}' for one in figure)} {unit}".rstrip()
    if isinstance(figure, (str, bool)) or figure is None:
        return "none" if figure is None else str(figure).lower() if isinstance(figure, bool) else figure
    number = f"{figure:.0f}" if abs(figure) >= 1000 else f"{figure:.4g}"
    if unit == "$":
        return f"${number}"
    return f"{100 * figure:.3g} %" if unit == "share" else f"{number} {unit}".rstrip()


def known_words(one: Considered) -> list[str]:
    """On how much its figures rest, and who gave them."""
    told = []
    if one.age_s is not None:
        told.append(f"{one.attempts:.3g} attempts of late, the last {one.age_s:.3g} s ago")
    if one.recovering:
        told.append("recovering")
    return told + [f"{figure} from {source}" for figure, source in one.sources]


def sureness(found: Confidence) -> str:
    """How sure the first place is."""
    words = f"first {BY[found.by]}"
    if found.next is not None and found.lead is not None and found.by not in ("balancer", "recovery"):
        share = "" if found.lead_share is None else f" ({100 * found.lead_share:.3g} %)"
        words += f", ahead of {found.next} by {found.lead:.4g}{share}"
    elif found.next is not None:
        words += f", ahead of {found.next}"
    if found.by == "alone":
        return words
    words += f"; {KNOWN[found.known]}"
    if found.attempts is not None:
        words += f" ({found.attempts:.3g} attempts of late at least)"
    if found.assumed:
        words += ": " + ", ".join(f"{part} of {target} ({why})" for target, part, why in found.assumed)
    return words


def flipped(choice: Chosen) -> Iterator[str]:
    """What would have put somebody else first, the smallest change first; and what would not."""
    yield from (flip_words(flip) for flip in choice.flips)
    if choice.held:
        yield f"no other first place within the bounds by: {', '.join(choice.held)}"
    yield from (f"not looked at: {name}: {why}" for name, why in choice.unsearched)


def flip_words(flip: Flip) -> str:
    """One change, and who would be first then."""
    then = f"{flip.then} would be first" if flip.then is not None else "nobody would be left"
    assumed = f", {', '.join(flip.assumed)} taken for fresh" if flip.assumed else ""
    return f"if {change_words(flip)}: {then}{assumed}"


def change_words(flip: Flip) -> str:
    """What is changed."""
    about = f" of {flip.about}" if flip.about and flip.input not in ("setting", "feature", "rule") else ""
    name = flip.about if flip.input == "setting" else flip.input + about
    was, becomes = figure_words(flip.was, flip.unit), figure_words(flip.becomes, flip.unit)
    if flip.factor is not None:
        return f"{name} x {flip.factor:.3g} ({was} -> {becomes})"
    if flip.input == "feature":
        return f"{flip.about} {'were needed, too' if flip.becomes else 'were not needed'}"
    if flip.input == "rule":
        return f"rule {flip.about}: {was} -> {becomes}"
    if flip.input in ("chance", "turn", "session"):
        words = {
            "chance": "chance had drawn otherwise",
            "turn": "it were the next turn",
            "session": "the session were new",
        }
        return words[flip.input]
    return f"{name}: {was} -> {becomes}"
