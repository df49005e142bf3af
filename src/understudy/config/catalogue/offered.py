"""Targets for models that nobody wrote down: every other one that the catalogue lists where a target of the configuration is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from understudy.config.catalogue import Catalogue, Model
from understudy.core.catalogue.profile import UNKNOWN
from understudy.core.request import Operation
from understudy.core.target import Target
from understudy.providers import facts, formats_for, lacks_in_translation, usual_dialects

_DEPLOYED = ("azure",)
"""There a model is asked for under the name of a deployment, which no list knows."""


def offered(targets: Mapping[str, Target], catalogue: Catalogue) -> dict[str, Target]:
    """One target per model that chats and is in service, called `provider/model`.

    It is asked with the key, at the address and within the bounds of the provider's first target. What is known of the models is
    not filled in yet. Raises `UnreadableCatalogue`.
    """
    present = {(target.provider, target.model) for target in targets.values()}
    made: dict[str, Target] = {}
    for place in _places(targets):
        for sheet in catalogue.sheets_of(place.provider, place.base_url):
            for model, known in catalogue.sheet(sheet).items():
                name = f"{place.provider}/{model}"
                if _chats(model, known) and name not in made and (place.provider, model) not in present:
                    target = _at(place, name, model)
                    if target.dialects:
                        made[name] = target
    return made


def _places(targets: Mapping[str, Target]) -> list[Target]:
    """The first target of each provider that is asked over the network and chats."""
    first: dict[str, Target] = {}
    for target in targets.values():
        if target.dialects and target.embeds is None and not target.local and target.provider not in _DEPLOYED:
            first.setdefault(target.provider, target)
    return list(first.values())


def _chats(name: str, model: Model) -> bool:
    """Text in, text out, and no sign of anything else."""
    return (
        "text" in model.takes
        and model.gives == ("text",)
        and model.status != "deprecated"
        and "embed" not in name.lower()
    )


def _at(place: Target, name: str, model: str) -> Target:
    known = facts(place.provider)
    chosen = place.dialects != usual_dialects(known, place.model)
    dialects = place.dialects if chosen else usual_dialects(known, model)
    return replace(
        place,
        name=name,
        model=model,
        dialects=dialects,
        price=None,
        profile=UNKNOWN,
        context_tokens=None,
        max_output_tokens=None,
        lacks=known.lacks,
        lacks_in_translation=lacks_in_translation(known, dialects),
        counts=formats_for(known, Operation.COUNT, model),
    )
