"""Targets completed with what the catalogue knows of their models. What the user wrote stands; what nobody knows stays None."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from understudy.config import Taken
from understudy.config.catalogue import Catalogue, Found, Known, Model, tier
from understudy.core.catalogue.profile import Profile
from understudy.core.catalogue.tier import Graded, tier_of
from understudy.core.target import Target

_PACKED = ("llama_cpp", "lm_studio", "ollama", "onnx")
"""What these run was made smaller as a rule, and is called like the model that it was made from: only the user can say that it is the same."""


def filled(
    targets: Mapping[str, Target], written: Mapping[str, Collection[str]], catalogue: Catalogue, *, prices: bool = True
) -> tuple[dict[str, Target], tuple[Taken, ...]]:
    """The same targets with what was left out, and where each figure is from.

    `written`: by target, the keys that the user wrote; these are left alone. `prices`: whether prices are taken too. A model at its
    provider gives figures and identity; a name that is only known elsewhere gives the identity alone: whoever else runs the model sends
    another bill, and may serve a smaller window.

    Raises `UnreadableCatalogue`.
    """
    made: dict[str, Target] = {}
    taken: list[Taken] = []
    for name, target in targets.items():
        own = frozenset(written.get(name, ()))
        made[name], figures = _filled(target, own if prices else own | {"price"}, catalogue)
        taken += figures
    return made, tuple(taken)


def _filled(target: Target, written: frozenset[str], catalogue: Catalogue) -> tuple[Target, list[Taken]]:
    if not target.dialects or not target.model:
        return target, []  # answers from memory, or its server has not told its model yet
    found = look_up(target, catalogue)
    known = found.model if found else catalogue.known(target.profile.same_as or target.model)
    if known is None:
        return target, []
    source = f"models.dev {catalogue.about.dated}: {found.full if found else f'the name {known.same_as}'}"
    figures = _figures(target, found.model, written) if found else {}
    identity = _identity(target.profile, known)
    if target.provider in _PACKED:
        identity.pop("same_as", None)
    graded = _tier(target, found, known)
    if graded is not None:
        identity["tier"] = graded.tier
    if not figures and not identity:
        return target, []
    sources = [Taken(target.name, figure, source) for figure in (*figures, *identity) if figure != "tier"]
    if graded is not None:
        sources.append(Taken(target.name, "tier", f"{source}: {graded.why}"))
    return replace(target, **figures, profile=replace(target.profile, **identity)), sources


def look_up(target: Target, catalogue: Catalogue) -> Found | None:
    """A target's model at its provider. Where its own name says nothing, as that of a deployment, `same_as` may say which it is."""
    sheets = catalogue.sheets_of(target.provider, target.base_url)
    found = catalogue.find(sheets, target.model)
    if found is None and target.profile.same_as is not None:
        found = catalogue.find(sheets, target.profile.same_as)
    return found


def _figures(target: Target, model: Model, written: frozenset[str]) -> dict[str, Any]:
    """What the target does not have and the model has."""
    given: dict[str, Any] = {}
    if target.price is None and "price" not in written and model.price is not None:
        given["price"] = model.price
    context = target.context_tokens
    if context is None and model.context is not None and model.context >= (target.max_output_tokens or 0):
        given["context_tokens"] = context = model.context
    if target.max_output_tokens is None and model.output is not None and model.output <= (context or model.output):
        given["max_output_tokens"] = model.output
    if "lacks" not in written and target.embeds is None:
        lacks = tuple(sorted({*target.lacks, *lacking(model)}))
        if lacks != target.lacks:
            given["lacks"] = lacks
    return given


def _identity(profile: Profile, known: Model | Known) -> dict[str, Any]:
    """What the profile does not have and the source has."""
    told = {"same_as": known.same_as, "maker": known.maker, "family": known.family}
    return {name: word for name, word in told.items() if word is not None and getattr(profile, name) is None}


def _tier(target: Target, found: Found | None, known: Model | Known) -> Graded | None:
    """The tier of a target that says none: by the family that was written, if any, else by what the model is."""
    profile = target.profile
    if profile.tier is not None:
        return None
    written = tier_of(profile.family, gives=known.gives)
    return written or tier(found.id if found else target.model, known)


def lacking(model: Model) -> tuple[str, ...]:
    """The features that the source says a model does not have, sorted; one of which it says nothing is not among them.

    Documents are lacking only where no files are taken at all: the list of what is read names PDF files alone.
    """
    said = {
        "audio": "audio" not in model.takes,
        "documents": model.files is False and "pdf" not in model.takes,
        "images": "image" not in model.takes,
        "json_schema": model.schema is False,
        "reasoning": model.reasoning is False,
        "tools": model.tools is False,
        "video": "video" not in model.takes,
    }
    return tuple(feature for feature, lacks in said.items() if lacks)
