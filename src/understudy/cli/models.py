"""What is known of models: prices, windows, abilities, and where the same model runs.

Figures come from a snapshot of models.dev that is shipped; targets take from it what a configuration leaves out. `show` tells all
places of one model, `check` compares prices with genai-prices, `refresh` makes a snapshot from a file that you fetched. Nothing here
touches the network.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from understudy.cli._configuration import read_configuration
from understudy.cli._output import ASKED_WRONGLY, FAILED, Json, columns, fail, tell, told
from understudy.core.value import JsonObject

if TYPE_CHECKING:
    from understudy.config.catalogue import Catalogue, Found
    from understudy.core.money import Price

Snapshot = Annotated[
    Path | None,
    typer.Option("--catalogue", metavar="FILE", help="A snapshot made by `refresh`; default: the shipped one."),
]
Provider = Annotated[
    str | None,
    typer.Option("--provider", "-p", help="Only this one's models, by Understudy's name for it or the catalogue's."),
]


def command(
    context: typer.Context, provider: Provider = None, catalogue: Snapshot = None, as_json: Json = False
) -> None:
    """List models."""
    if context.invoked_subcommand is not None:
        return
    opened = _open(catalogue, as_json=as_json)
    found = list(_listed(opened, provider, as_json=as_json))
    header = ("provider", "model", "in", "out", "cached", "window", "answer", "tier", "cost", "abilities", "")
    rows: list[tuple[str, ...]] = [header, *((name, one.id, *_row(one)) for name, one in found)]
    data = {"about": _about(opened), "models": [{"provider": name, **_data(one)} for name, one in found]}
    tell(f"{columns(rows, indent='')}\n\n{_credit(opened)}", data, as_json=as_json)


def show(
    name: Annotated[str, typer.Argument(help="A model: gpt-5.1, openai/gpt-5.1, claude-sonnet, provider/model.")],
    catalogue: Snapshot = None,
    as_json: Json = False,
) -> None:
    """Every place where one model runs, cheapest first; what is not known is shown as such."""
    opened = _open(catalogue, as_json=as_json)
    places = _places(opened, name)
    if not places:
        fail([f'the catalogue has no model "{name}"; `understudy models` lists what it has'], as_json=as_json)
    rows: list[tuple[str, ...]] = [
        ("place", "in", "out", "cached", "window", "answer", "tier", "cost", "abilities", "")
    ]
    rows += [(one.full, *_row(one)) for one in places]
    kinship = {
        key: sorted({word for one in places if (word := getattr(one.model, key))})
        for key in ("same_as", "maker", "family")
    }
    head = "\n".join(f"{key}: {', '.join(words) or 'unknown'}" for key, words in kinship.items())
    longer = [
        f"{one.full}: requests that read more than {price.longer_above:,} tokens cost {_rate(price.longer.input)} in, {_rate(price.longer.output)} out"
        for one in places
        if (price := one.model.price) is not None and price.longer is not None
    ]
    quality = "quality: unknown here; your configuration or `understudy evaluate` gives it"
    text = "\n".join([head, *_tiers(places), quality, columns(rows), *longer])
    data = {"name": name, **kinship, "quality": None, "places": [_data(one) for one in places], "about": _about(opened)}
    tell(f"{text}\n\n{_credit(opened)}", data, as_json=as_json)


def check(
    provider: Provider = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="Only the prices by which this configuration books."),
    ] = None,
    catalogue: Snapshot = None,
    as_json: Json = False,
) -> None:
    """Compare prices with genai-prices. Exit code 1: they disagree somewhere."""
    try:
        from understudy.config.catalogue.comparison import compare, listed_prices, used_prices
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "genai_prices":
            raise
        fail(["prices are compared with the package genai-prices: install understudy[prices]"], as_json=as_json)
    if config is None:
        found = compare(listed_prices(_open(catalogue, as_json=as_json), _ours(provider)))
    else:
        with told(as_json=as_json):
            targets = read_configuration(config).targets.values()
        found = compare(used_prices(one for one in targets if provider in (None, one.provider)))
    rows = [("provider", "model", "rate", "ours", "genai-prices")]
    rows += [(one.provider, one.model, one.rate, _rate(one.ours), _rate(one.theirs)) for one in found.differences]
    summary = f"{found.compared} models priced by both, {len(found.differences)} rates differ; {found.unknown} that genai-prices does not know"
    data = {
        "compared": found.compared,
        "unknown": found.unknown,
        "differences": [
            {
                "provider": one.provider,
                "model": one.model,
                "rate": one.rate,
                "ours": one.ours / 1e6,
                "genai-prices": one.theirs / 1e6,
            }
            for one in found.differences
        ],
    }
    text = f"{columns(rows, indent='')}\n\n{summary}" if found.differences else summary
    tell(text, data, as_json=as_json)
    if found.differences:
        raise typer.Exit(FAILED)


def refresh(
    source: Annotated[
        Path, typer.Option("--from", metavar="FILE", help="The api.json of models.dev, packed with gzip or not.")
    ],
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The snapshot to write.")] = Path("models.zip"),
    as_json: Json = False,
) -> None:
    """Make a snapshot from a file that was fetched; `catalogue: {file: ...}` in a configuration then names it."""
    from understudy.config.catalogue.snapshot import Unusable, read_source, write_snapshot

    try:
        published = read_source(source)
    except OSError as error:
        fail([f"{source}: cannot be read: {error.strerror}"], as_json=as_json, code=ASKED_WRONGLY)
    except Unusable as error:
        fail([str(error)], as_json=as_json, code=ASKED_WRONGLY)
    try:
        about = write_snapshot(published, to)
    except OSError as error:
        fail([f"{to}: cannot be written: {error.strerror}"], as_json=as_json)
    except Unusable as error:
        fail([f"{source}: {error}"], as_json=as_json, code=ASKED_WRONGLY)
    data = {"file": str(to), "models": about.models, "providers": about.providers, "dated": about.dated or None}
    tell(
        f"{to}: {about.models} models of {about.providers} providers\nuse it with `catalogue: {{file: {to}}}` in the configuration",
        data,
        as_json=as_json,
    )


parts = {"show": show, "check": check, "refresh": refresh}


def _open(path: Path | None, *, as_json: bool) -> Catalogue:
    from understudy.config.catalogue import Catalogue, UnreadableCatalogue

    try:
        return Catalogue(path)
    except UnreadableCatalogue as error:
        fail([str(error)], as_json=as_json, code=ASKED_WRONGLY)


def _ours(provider: str | None) -> tuple[str, ...]:
    from understudy.providers import PROVIDERS

    return tuple(PROVIDERS.names()) if provider is None else (provider,)


def _listed(catalogue: Catalogue, provider: str | None, *, as_json: bool) -> Iterable[tuple[str, Found]]:
    """Every model of the providers that Understudy knows by name, or of one provider of either naming."""
    from understudy.config.catalogue import Found
    from understudy.config.problems import nearest

    sheets = [(name, sheet) for name in _ours(provider) for sheet in catalogue.sheets_of(name)]
    if not sheets:
        known = [name for name in _ours(None) if catalogue.sheets_of(name)]
        unknown = f'the catalogue has no provider "{provider}"; {nearest(provider or "", known)}'
        fail([unknown], as_json=as_json, code=ASKED_WRONGLY)
    for name, sheet in sheets:
        for model, one in catalogue.sheet(sheet).items():
            yield name, Found(sheet, model, one)


def _places(catalogue: Catalogue, name: str) -> list[Found]:
    """Wherever a model of this name runs: one place by its full name, else the same model, else a family; the cheapest first."""
    from understudy.config.catalogue import Found
    from understudy.core.catalogue.equivalence import comparable
    from understudy.core.catalogue.tier import blended

    every = [
        Found(sheet, model, one) for sheet in catalogue.providers() for model, one in catalogue.sheet(sheet).items()
    ]
    known = catalogue.known(name)
    wanted = known.same_as if known else comparable(name)
    same = [
        one
        for one in every
        if one.model.same_as is not None and wanted in (one.model.same_as, comparable(one.model.same_as))
    ]
    found = (
        same
        or [one for one in every if one.model.family == name]
        or [one for one in every if name in (one.full, one.id)]
    )
    return sorted(
        found, key=lambda one: (one.model.price is None, one.model.price and blended(one.model.price), one.full)
    )


def _tiers(places: list[Found]) -> list[str]:
    """Each tier that is told of these places, and what it is told by."""
    from understudy.config.catalogue import tier

    told = {f"tier: {one.tier}: {one.why}" for place in places if (one := tier(place.id, place.model))}
    return sorted(told) or ["tier: unknown: neither its words nor its price among its maker's tell it"]


def _row(found: Found) -> tuple[str, ...]:
    from understudy.config.catalogue import tier
    from understudy.core.catalogue.tier import cost_tier

    model = found.model
    price = model.price
    graded = tier(found.id, model)
    return (
        _rate(price.input if price else None),
        _rate(price.output if price else None),
        _rate(price.cache_read if price else None),
        _tokens(model.context),
        _tokens(model.output),
        graded.tier if graded else "?",
        cost_tier(price) or "?",
        " ".join(_abilities(found)) or "-",
        model.status or "",
    )


def _abilities(found: Found) -> list[str]:
    model = found.model
    said = (("tools", model.tools), ("schema", model.schema), ("reasoning", model.reasoning))
    return [name for name, can in said if can] + [kind for kind in model.takes if kind != "text"]


def _data(found: Found) -> JsonObject:
    from understudy.config.catalogue import tier
    from understudy.config.catalogue.filled import lacking
    from understudy.core.catalogue.tier import cost_tier

    model = found.model
    graded = tier(found.id, model)
    return {
        "place": found.full,
        "model": found.id,
        "title": model.title,
        "same_as": model.same_as,
        "maker": model.maker,
        "family": model.family,
        "tier": graded.tier if graded else None,
        "tier_source": graded.why if graded else None,
        "price": _dollars(model.price),
        "cost_tier": cost_tier(model.price),
        "context_tokens": model.context,
        "max_output_tokens": model.output,
        "takes": list(model.takes),
        "gives": list(model.gives),
        "lacks": list(lacking(model)),
        "status": model.status,
        "released": model.released,
    }


def _dollars(price: Price | None) -> JsonObject | None:
    """Dollars per million tokens."""
    if price is None:
        return None
    rates = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "audio_in", "audio_out")
    told: JsonObject = {name: rate / 1e6 for name in rates if (rate := getattr(price, name)) is not None}
    return told | ({"longer": {"above": price.longer_above, **(_dollars(price.longer) or {})}} if price.longer else {})


def _rate(pico: int | None) -> str:
    return "?" if pico is None else f"${pico / 1e6:g}"


def _tokens(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _about(catalogue: Catalogue) -> JsonObject:
    about = catalogue.about
    return {
        "source": about.source,
        "commit": about.commit or None,
        "dated": about.dated or None,
        "licence": about.licence,
        "models": about.models,
    }


def _credit(catalogue: Catalogue) -> str:
    about = catalogue.about
    return f"dollars per million tokens; from {about.source} of {about.dated} ({about.licence}); ? is unknown"
