"""What a request's `model` means, worked out once, at load.

A route, else a target, else `provider/model`, else a vector space, else a model by the name that it has everywhere: `gpt-5.1`,
`openai/gpt-5.1` wherever that runs, or its family (`claude-sonnet`).
"""

from __future__ import annotations

from collections.abc import Mapping

from understudy.config import Configuration, Principal
from understudy.core.route import Route, Tier
from understudy.core.target import Target

LISTED_MAX = 50


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
    for name, same in _unified(targets).items():
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


def _alone(name: str, targets: tuple[str, ...]) -> Route:
    return Route(name=name, tiers=(Tier(name="primary", targets=targets),))


def _same(target: Target, targets: Mapping[str, Target]) -> tuple[str, ...]:
    """Every target with this provider and model: several keys or addresses are one model."""
    return tuple(
        name for name, other in targets.items() if (other.provider, other.model) == (target.provider, target.model)
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
    """What a principal may ask for, routes first: the model listing. Stand-ins answer in routes, not by name."""
    names = [
        *configuration.routes,
        *(name for name, target in configuration.targets.items() if not target.stand_in),
    ]
    return tuple(name for name in dict.fromkeys(names) if permitted(principal, name))


def unknown_name(configuration: Configuration, model: str, principal: Principal | None = None) -> str:
    """The message for a name that does not exist, or that the principal may not ask for: they look the same."""
    from understudy.config.problems import nearest  # with it comes YAML, which a worker does without

    names = listed(configuration, principal)
    shown = [*names[:LISTED_MAX], "..."] if len(names) > LISTED_MAX else names
    short = model if len(model) <= 80 else model[:77] + "..."
    return f'unknown model "{short}"; {nearest(short, shown)}'
