"""What is known of each target, and from whom: the configuration, the catalogue, or nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from understudy.core.value import JsonObject, value

if TYPE_CHECKING:
    from understudy.config import Configuration
    from understudy.core.money import Price
    from understudy.core.target import Target

CONFIGURATION = "configuration"
UNKNOWN = "unknown"


@value
class Figure:
    """One thing that is known of a target, or is not. `shown`: in words; `plain`: for JSON, None where it is unknown."""

    target: str
    name: str
    shown: str
    plain: Any
    source: str


def figures(configuration: Configuration) -> tuple[Figure, ...]:
    """Every figure of every target that was written and asks a provider."""
    from understudy.config.names import by_full_name_only

    sources = {(one.target, one.figure): one.source for one in configuration.taken}
    found: list[Figure] = []
    for target in configuration.targets.values():
        if not target.dialects or by_full_name_only(target):
            continue
        for name, (shown, plain) in _of(target).items():
            source = sources.get((target.name, name), CONFIGURATION if shown else UNKNOWN)
            found.append(Figure(target.name, name, shown, plain, source))
    return tuple(found)


def figures_data(found: tuple[Figure, ...]) -> JsonObject:
    """By target, by figure."""
    data: JsonObject = {}
    for one in found:
        data.setdefault(one.target, {})[one.name] = {"value": one.plain, "source": one.source}
    return data


def figure_rows(found: tuple[Figure, ...]) -> list[tuple[str, str, str]]:
    """One row per target and source: the target, the source, and what is from there."""
    rows: dict[tuple[str, str], list[str]] = {}
    for one in found:
        told = one.name if one.source == UNKNOWN else f"{one.name} {one.shown}"
        rows.setdefault((one.target, one.source), []).append(told)
    return [(target, source, ", ".join(told)) for (target, source), told in rows.items()]


def _of(target: Target) -> dict[str, tuple[str, Any]]:
    profile = target.profile
    plain: dict[str, tuple[str, Any]] = {
        "price": _price(target.price),
        "context_tokens": _count(target.context_tokens),
        "max_output_tokens": _count(target.max_output_tokens),
        "lacks": (" ".join(target.lacks), list(target.lacks) or None),
    }
    for name in ("same_as", "maker", "family", "tier"):
        word = getattr(profile, name)
        plain[name] = (word or "", word)
    if not target.lacks:
        del plain["lacks"]  # an empty list says nothing
    plain["region"] = (target.region or "", target.region)
    plain["quality"] = ("" if profile.quality is None else f"{profile.quality:g}", profile.quality)
    plain["scores"] = (" ".join(f"{name}={score:g}" for name, score in profile.scores), dict(profile.scores) or None)
    return plain


def _price(price: Price | None) -> tuple[str, Any]:
    if price is None:
        return "", None
    data = {"input": price.input / 1e6, "output": price.output / 1e6}
    return f"${price.input / 1e6:g} in ${price.output / 1e6:g} out", data


def _count(tokens: int | None) -> tuple[str, int | None]:
    return ("" if tokens is None else f"{tokens:,}", tokens)
