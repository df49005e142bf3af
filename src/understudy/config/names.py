"""What a request's `model` means, worked out once, at load.

A route, else a target, else `provider/model`, else a vector space, else a model by the name that it has everywhere: `gpt-5.1`,
`openai/gpt-5.1` wherever that runs, or its family (`claude-sonnet`), else a model as its provider writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from understudy.config import Configuration, Principal
from understudy.core.route import Route, Tier
from understudy.core.target import Target

SHOWN_MAX = 50
"""Names that a message about an unknown one shows."""
SHOWN_CHARS_MAX = 80
"""Of the unknown name itself."""
COMPARED_MAX = 200
"""Names that an unknown one is compared with letter by letter: the worker that answers has other requests to carry meanwhile."""

_SEPARATORS = str.maketrans("", "", " -._/:@")


def names_of(routes: Mapping[str, Route], targets: Mapping[str, Target]) -> dict[str, Route]:
    """Every name, in the order of precedence. A target by itself is a route of one, with the default policy."""
    names = dict(routes)
    for name, target in targets.items():
        names.setdefault(name, _alone(name, (name,)))
        if target.dialects and target.model:
            full = f"{target.provider}/{target.model}"
            names.setdefault(full, _alone(full, _same(target, targets)))
    for target in targets.values():
        if target.embeds is not None:
            names.setdefault(target.embeds, _alone(target.embeds, _of_space(target.embeds, targets)))
    for named in (_unified(targets), _as_written(targets)):
        for name, same in named.items():
            names.setdefault(name, _alone(name, tuple(same)))
    return names


def by_full_name_only(target: Target) -> bool:
    """Whether a target is nobody's own word, but there to be asked for as `provider/model`."""
    return target.name == f"{target.provider}/{target.model}"


def _unified(targets: Mapping[str, Target]) -> dict[str, list[str]]:
    """Names that hold at every provider -> the targets that they mean, in the order of the file. Models before families."""
    models: dict[str, list[str]] = {}
    families: dict[str, list[str]] = {}
    for target in targets.values():
        profile = target.profile
        if target.embeds is not None or not target.dialects:
            continue
        if profile.same_as is not None:
            models.setdefault(profile.same_as, []).append(target.name)
            if profile.maker is not None:
                models.setdefault(f"{profile.maker}/{profile.same_as}", []).append(target.name)
        if profile.family is not None and not by_full_name_only(target):
            families.setdefault(profile.family, []).append(target.name)
    return families | models


def _as_written(targets: Mapping[str, Target]) -> dict[str, list[str]]:
    """Models as their providers write them -> the targets that were written with that model: clients often know no other name."""
    found: dict[str, list[str]] = {}
    for target in targets.values():
        if target.embeds is not None or not target.dialects or not target.model or by_full_name_only(target):
            continue
        same = found.setdefault(target.model, [])
        if not same or _one_model(targets[same[0]], target):
            same.append(target.name)
    return found


def _one_model(one: Target, other: Target) -> bool:
    """Whether two targets that write their model alike mean one: as profiles tell, else where it is one provider's name."""
    known = one.profile.same_as
    return known == other.profile.same_as and (known is not None or one.provider == other.provider)


def _alone(name: str, targets: tuple[str, ...]) -> Route:
    return Route(name=name, tiers=(Tier(name="primary", targets=targets),))


def _same(target: Target, targets: Mapping[str, Target]) -> tuple[str, ...]:
    """Every target with this provider and model: several keys or addresses are one model, unless profiles say otherwise.

    Of two deployments that are both called `prod` one may be another model.
    """
    return tuple(
        name
        for name, other in targets.items()
        if (other.provider, other.model) == (target.provider, target.model) and _one_model(target, other)
    )


def _of_space(space: str, targets: Mapping[str, Target]) -> tuple[str, ...]:
    """Every target of this vector space: their vectors can be compared, so any of them may answer."""
    return tuple(name for name, other in targets.items() if other.embeds == space)


def resolve(configuration: Configuration, model: str) -> Route | None:
    """The route that answers for a name; None when there is no such name."""
    return configuration.names.get(model)


def permitted(principal: Principal | None, name: str) -> bool:
    """Whether a principal may ask for a name. Without principals everybody may."""
    return principal is None or principal.routes is None or name in principal.routes


def listed(configuration: Configuration, principal: Principal | None = None) -> tuple[str, ...]:
    """What a principal may ask for: routes, targets, the other names that mean them, then targets that nobody wrote. The model listing.

    Stand-ins answer in routes, not by name. A target that is called after its model (`anthropic/claude-haiku-4-5`, of thousands that nobody
    wrote down) is listed once, so that there are at most six names for each target that was written.
    """
    targets = configuration.targets
    asked = {name: target for name, target in targets.items() if not target.stand_in}
    names = [*configuration.routes, *(name for name, target in asked.items() if not by_full_name_only(target))]
    if principal is not None and principal.routes is not None:
        names += [name for name in principal.routes if name in configuration.names and name not in targets]
    else:
        names += [name for name, route in configuration.names.items() if _means_a_written_one(route, targets)]
    names += asked
    return tuple(name for name in dict.fromkeys(names) if permitted(principal, name))


def _means_a_written_one(route: Route, targets: Mapping[str, Target]) -> bool:
    """Whether it leads to a target that has a name of its own."""
    return any(
        not known.stand_in and not known.name.endswith(f"/{known.model}")
        for tier in route.tiers
        for name in tier.targets
        if (known := targets.get(name)) is not None
    )


def unknown_name(configuration: Configuration, model: str, principal: Principal | None = None) -> str:
    """The message for a name that does not exist, or that the principal may not ask for: they look the same."""
    names = listed(configuration, principal)
    short = model if len(model) <= SHOWN_CHARS_MAX else model[: SHOWN_CHARS_MAX - 3] + "..."
    accepted = configuration.names if principal is None or principal.routes is None else names
    near = _near(short, names, accepted)
    meant = f'did you mean "{near}"? ' if near else ""
    more = f" and {len(names) - SHOWN_MAX} more (GET /v1/models)" if len(names) > SHOWN_MAX else ""
    there = ", ".join(names[:SHOWN_MAX]) + more if names else "none"
    return f"no route, target or model is called {short!r}; {meant}there are: {there}"


def _near(model: str, names: tuple[str, ...], accepted: Iterable[str]) -> str | None:
    """The name that was probably meant: one that is only spelt in another way or has no date, else one of similar letters."""
    from difflib import get_close_matches  # these two a worker does without until someone mistypes

    from understudy.core.catalogue.equivalence import plain, undated

    own = plain(model)
    spelt = {one.lower().translate(_SEPARATORS) for one in (model, own, undated(own)[0])} - {""}
    for name in (*names, *accepted):
        if name.lower().translate(_SEPARATORS) in spelt:
            return name
    return next(iter(get_close_matches(model, names[:COMPARED_MAX], n=1)), None)
