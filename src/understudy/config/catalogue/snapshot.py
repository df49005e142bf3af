"""Makes a snapshot of the catalogue from what models.dev publishes: its `api.json`, or the same with the models that others derive from.

<https://models.dev>, MIT licence. What is left out there is left out here: nothing is guessed but which names mean one model
(see `core.catalogue.equivalence`).
"""

from __future__ import annotations

import gzip
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec

from understudy.config.catalogue import About, Known, Model, tier
from understudy.core.catalogue.equivalence import (
    MAKERS,
    can_be,
    comparable,
    one_name_each,
    plain,
    says_which,
    undated,
    written_maker,
)
from understudy.core.catalogue.tier import SPECIALISED, Graded, blended, tier_by_price, tier_of
from understudy.core.money import Price
from understudy.core.value import JsonObject, value

LICENCE = "MIT licence, Copyright (c) 2025 models.dev"
SOURCE = "https://models.dev"

# The makers' own providers: what they call a model is its name.
_MAKERS = {
    "alibaba": "alibaba", "anthropic": "anthropic", "cohere": "cohere", "deepseek": "deepseek", "google": "google", "llama": "meta",
    "minimax": "minimax", "mistral": "mistral", "moonshotai": "moonshotai", "openai": "openai", "perplexity": "perplexity",
    "xai": "xai", "zai": "zai",
}  # fmt: skip

# The source's words -> token classes of a price.
_RATES = {
    "cache_read": "cache_read",
    "reasoning": "reasoning",
    "input_audio": "audio_in",
    "output_audio": "audio_out",
}
_PICO = 1_000_000
_RATE_MAX = 10**12
_OWN_MEMBERS = ("about.json", "addresses.json", "names.json")
_PROVIDER = re.compile(r"\w[\w.-]{0,79}", re.ASCII)
_LETTERS = re.compile("[a-z]+")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SAME_TIME_DAYS = 365
"""Models that were released so far from each other at most are one range: what was dear three years ago is cheap today."""
_EPOCH = (1980, 1, 1, 0, 0, 0)  # so that equal content makes an equal file


class Unusable(Exception):
    """The text is not what models.dev publishes. The message says what is missing."""


@value
class Origin:
    """What a model is derived from, in the source's words: `maker` and the maker's own `name` for it."""

    maker: str
    name: str
    family: str | None
    gives: tuple[str, ...]


def read_source(path: Path) -> JsonObject:
    """The published text, packed or not. Raises `Unusable` or `OSError`."""
    content = path.read_bytes()
    try:
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        data = msgspec.json.decode(content)
    except (msgspec.MsgspecError, EOFError, gzip.BadGzipFile) as error:
        raise Unusable(f"{path}: is neither JSON nor packed JSON: {error}") from None
    read: JsonObject = data if isinstance(data, dict) else {}
    if not isinstance(read.get("providers"), dict):
        read = {"providers": read}
    if not any(_models(one) for one in read["providers"].values()):
        raise Unusable(f"{path}: holds no providers with models; the api.json of models.dev is what is meant")
    return read


def write_snapshot(data: JsonObject, path: Path) -> About:
    """Write the snapshot of a published text; a file that is there is replaced as a whole. Raises `OSError` or `Unusable`."""
    providers = {name: one for name, one in data["providers"].items() if _models(one)}
    odd = next((name for name in providers if f"{name}.json" in _OWN_MEMBERS or not _PROVIDER.fullmatch(name)), None)
    if odd is not None:
        raise Unusable(f"a provider cannot be called {odd[:80]!r}")
    origins = _origins(_models({"models": data.get("base_models")}), providers)
    sheets = {name: _sheet(name, one, origins) for name, one in sorted(providers.items())}
    graded = _graded_by_price(sheets)
    sheets = {name: {model: _with_grade(one, graded) for model, one in sheet.items()} for name, sheet in sheets.items()}
    commit, dated = _dated(data, providers)
    about = About(
        source=SOURCE,
        commit=commit,
        dated=dated,
        licence=LICENCE,
        providers=len(sheets),
        models=sum(map(len, sheets.values())),
    )
    members = {
        "about.json": about,
        "addresses.json": _addresses(providers),
        "names.json": _names(origins, graded),
        **{f"{name}.json": sheet for name, sheet in sheets.items()},
    }
    _write(members, path)
    return about


def _write(members: Mapping[str, Any], path: Path) -> None:
    """Raises `OSError`; what was there before is there then, and nothing is left beside it."""
    beside = path.with_name(path.name + ".new")
    try:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, content in members.items():
                dense = json.dumps(_dense(msgspec.to_builtins(content)), separators=(",", ":"), ensure_ascii=False)
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), dense, zipfile.ZIP_DEFLATED, 9)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def _dated(data: JsonObject, providers: Mapping[str, JsonObject]) -> tuple[str, str]:
    """The commit and its day; where there is no commit the day of the newest entry."""
    commit, _, written = str(data.get("commit") or "").partition(" ")
    try:
        return commit, datetime.strptime(written, "%a %b %d %H:%M:%S %Y %z").date().isoformat()
    except ValueError:
        days = (str(model.get("last_updated") or "") for one in providers.values() for model in _models(one).values())
        return commit, max((day for day in days if _DAY.fullmatch(day)), default="")


def _models(provider: Any) -> Mapping[str, JsonObject]:
    models = provider.get("models") if isinstance(provider, dict) else None
    return {name: one for name, one in models.items() if isinstance(one, dict)} if isinstance(models, dict) else {}


def _addresses(providers: Mapping[str, JsonObject]) -> dict[str, str]:
    """Addresses that are the same for everybody, and not on the user's own machine."""
    found: dict[str, str] = {}
    for name, one in sorted(providers.items()):
        address = one.get("api")
        if isinstance(address, str) and address.startswith("https://") and "$" not in address:
            found.setdefault(address.rstrip("/"), name)
    return found


def _origins(bases: Mapping[str, JsonObject], providers: Mapping[str, JsonObject]) -> dict[str, Origin]:
    """Comparable names -> what they stand for: the models that others derive from, then those of the makers' own providers."""
    found: dict[str, Origin] = {}
    for full, base in sorted(bases.items()):
        maker, _, name = full.partition("/")
        found.setdefault(comparable(name), _origin(maker, name, base))
    for provider, maker in _MAKERS.items():
        for name, model in sorted(_models(providers.get(provider)).items()):
            found.setdefault(comparable(name), _origin(maker, name, model))
    return found


def _origin(maker: str, name: str, model: JsonObject) -> Origin:
    return Origin(MAKERS.get(maker, maker), plain(name), _family(name, model), _kinds(model, "output"))


def _names(origins: Mapping[str, Origin], graded: Mapping[str, Graded]) -> dict[str, Known]:
    one_name = one_name_each(origin.name for origin in origins.values())
    return {
        name: Known(
            same_as=one_name[one.name],
            maker=one.maker,
            family=one.family,
            gives=one.gives,
            graded=graded.get(one_name[one.name]),
        )
        for name, one in sorted(origins.items())
        if says_which(one.name)
    }


def _graded_by_price(sheets: Mapping[str, Mapping[str, Model]]) -> dict[str, Graded]:
    """Names that models have everywhere -> the tier that the price at their own maker tells, where no word does."""
    found: dict[str, Graded] = {}
    for provider in _MAKERS:
        priced = [
            (one, blended(one.price), date.fromisoformat(one.released))
            for name, one in sheets.get(provider, {}).items()
            if one.price is not None and one.released is not None and _DAY.fullmatch(one.released)
            if (known := tier(name, one)) is None or known.tier != SPECIALISED
        ]
        for model, rate, day in priced:
            others = [other for _, other, then in priced if other and abs((then - day).days) <= _SAME_TIME_DAYS]
            grade = tier_by_price(rate, others) if model.same_as is not None and rate else None
            if grade is not None and model.same_as is not None and tier_of(model.same_as, gives=model.gives) is None:
                found[model.same_as] = grade
    return found


def _with_grade(model: Model, graded: Mapping[str, Graded]) -> Model:
    grade = None if model.same_as is None else graded.get(model.same_as)
    return model if grade is None else replace(model, graded=grade)


def _sheet(provider: str, given: JsonObject, origins: Mapping[str, Origin]) -> dict[str, Model]:
    one_name = one_name_each(origin.name for origin in origins.values())
    return {name: _model(provider, name, one, origins, one_name) for name, one in sorted(_models(given).items())}


def _model(
    provider: str, name: str, given: JsonObject, origins: Mapping[str, Origin], one_name: Mapping[str, str]
) -> Model:
    origin = _origin_of(name, str(given.get("base_model") or "").partition("/")[2], origins)
    own = plain(name)
    if origin is None and comparable(name) in origins:
        own = f"{written_maker(name)}/{own}"  # another maker's model of the same name
    same_as = one_name[origin.name] if origin else (own if says_which(own) else None)
    limit = _part(given, "limit")
    cost = _part(given, "cost_per_mtok_usd") or _part(given, "cost")
    return Model(
        title=str(given.get("name") or name),
        same_as=same_as if same_as and says_which(same_as) else None,
        maker=origin.maker if origin else written_maker(name) or _MAKERS.get(provider),
        family=(origin.family if origin else None) or _family(name, given),
        price=_priced(cost, name, given.get("family")),
        context=_tokens(limit, "context"),
        input=_tokens(limit, "input"),
        output=_tokens(limit, "output"),
        takes=_kinds(given, "input"),
        gives=origin.gives
        if origin
        else _kinds(given, "output"),  # a model gives the same everywhere: its maker's word
        tools=_flag(given, "tool_call"),
        reasoning=_flag(given, "reasoning"),
        schema=_flag(given, "structured_output"),
        files=_flag(given, "attachment"),
        status=_word(given, "status"),
        released=_word(given, "release_date"),
    )


def _origin_of(name: str, base: str, origins: Mapping[str, Origin]) -> Origin | None:
    """What a provider's model is by its name, else by what the source says that it is, as far as the name bears that out."""
    origin = origins.get(comparable(name))
    if origin is None and base and can_be(name, base):
        origin = origins.get(comparable(base))
        if origin is not None and len(_dates(name, origin, origins)) > 1:
            return None
    maker = written_maker(name)
    return None if origin is None or (maker is not None and maker != origin.maker) else origin


def _dates(name: str, origin: Origin, origins: Mapping[str, Origin]) -> set[str]:
    """The dates that are known of a model, with those of both names."""
    stem = undated(origin.name)[0]
    known = (
        undated(plain(name))[1],
        *(undated(one.name)[1] for one in origins.values() if undated(one.name)[0] == stem),
    )
    return {date for date in known if date}


def _family(name: str, given: JsonObject) -> str | None:
    """The source's word for what a model descends from, if its name has a word of it: of rerankers it says that they are of the family `o`."""
    family = given.get("family")
    if not isinstance(family, str) or not {*_LETTERS.findall(family.lower())} & {*_LETTERS.findall(plain(name))}:
        return None
    return family


def _kinds(given: JsonObject, way: str) -> tuple[str, ...]:
    kinds = _part(given, "modalities").get(way)
    named = [kind for kind in kinds if isinstance(kind, str)] if isinstance(kinds, list) else []
    return tuple(sorted(named or ("text",)))


def _part(given: JsonObject, name: str) -> JsonObject:
    """An object inside of one; of anything else that stands there nothing is taken."""
    part = given.get(name)
    return part if isinstance(part, dict) else {}


def _flag(given: JsonObject, name: str) -> bool | None:
    told = given.get(name)
    return told if isinstance(told, bool) else None


def _word(given: JsonObject, name: str) -> str | None:
    told = given.get(name)
    return told if isinstance(told, str) else None


def _tokens(limit: JsonObject, which: str) -> int | None:
    tokens = limit.get(which)
    return tokens if isinstance(tokens, int) and tokens > 0 else None


def _priced(cost: JsonObject, name: str, family: Any) -> Price | None:
    """With what longer requests cost, by the steps of the source."""
    price = _price(cost, name, family)
    longer: Price | None = None
    above = 0
    for size, step in sorted(_steps(cost, name, family), key=lambda one: -one[0]):
        longer, above = (step if longer is None else replace(step, longer=longer, longer_above=above)), size
    return price if price is None or longer is None else replace(price, longer=longer, longer_above=above)


def _price(cost: JsonObject, name: str, family: Any) -> Price | None:
    """Pico-dollars per token. Models of a subscription are listed at nothing, which is no price: what they cost is unknown."""
    read, written = _pico(cost.get("input")), _pico(cost.get("output"))
    if read is None or written is None or (read == written == 0 and not name.endswith(":free")):
        return None
    rates: dict[str, Any] = {
        ours: rate for theirs, ours in _RATES.items() if (rate := _pico(cost.get(theirs))) is not None
    }
    once = _pico(cost.get("cache_write"))
    if once is not None:
        # Anthropic sells two lives of a cached token, and the source lists the short one. The long one costs twice an input token:
        # https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching
        long = 2 * read if str(family).startswith("claude") and once < 2 * read else once
        rates |= {"cache_write_5m": once, "cache_write_1h": long}
    return Price(input=read, output=written, **rates)


def _steps(cost: JsonObject, name: str, family: Any) -> Iterator[tuple[int, Price]]:
    steps = cost.get("tiers")
    for step in steps if isinstance(steps, list) else ():
        if not isinstance(step, dict):
            continue
        length = _part(step, "tier")
        above, price = _tokens(length, "size"), _price(step, name, family)
        if length.get("type", "context") == "context" and above is not None and price is not None:
            yield above, price


def _pico(dollars: Any) -> int | None:
    if isinstance(dollars, bool) or not isinstance(dollars, (int, float)):
        return None
    try:
        pico = int((Decimal(str(dollars)) * _PICO).to_integral_value())
    except (InvalidOperation, OverflowError, ValueError):
        return None
    return pico if 0 <= pico <= _RATE_MAX else None


def _dense(given: Any) -> Any:
    """Without what says nothing: None, and what every model is unless it says otherwise."""
    if isinstance(given, dict):
        return {
            name: _dense(inner)
            for name, inner in given.items()
            if inner is not None
            and inner != []
            and (name, inner) != ("longer_above", 0)
            and not (name in ("takes", "gives") and list(inner) == ["text"])
        }
    return [_dense(inner) for inner in given] if isinstance(given, (list, tuple)) else given
