"""What is publicly known of models: prices, windows and abilities by provider, read from a snapshot that is shipped or refreshed.

The snapshot is a zip file: `about.json` says where it is from and under which licence, `addresses.json` which address is whose,
`names.json` what each model's plain name stands for, and `<provider>.json` holds one provider's models. Only what is asked for is
unpacked, and only while a configuration is read: workers get finished targets and never open it. Nothing here touches the network.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from understudy.core.catalogue.equivalence import comparable, plain, undated, written_maker
from understudy.core.catalogue.tier import Graded, tier_of
from understudy.core.money import Price
from understudy.core.value import keyword_value, value

T = TypeVar("T")

SHIPPED = "models.zip"
MEMBER_BYTES_MAX = 64 * 1024 * 1024


class UnreadableCatalogue(Exception):
    """A snapshot that cannot be read. The message says why and what to do."""


@keyword_value
class About:
    """Where a snapshot is from.

    `commit`: of the source, "" where it says none. `dated`: the day of that commit, else of the newest entry, as 2026-07-02; "" where
    neither is said. `licence`: one line that travels with it.
    """

    source: str
    commit: str
    dated: str
    licence: str
    providers: int
    models: int


@keyword_value
class Model:
    """One model at one provider, as the snapshot has it; what its source does not say is None.

    `graded`: the tier that its price tells, where no word does, see `tier`. `title`: as the provider writes it. `same_as`, `maker`, `family`: see `Profile`. `price`: pico-dollars per token. `context`, `input`, `output`: tokens at most, in all, read, written. `takes`, `gives`: audio, image,
    pdf, text, video. `tools`, `reasoning`, `schema`, `files`: whether it can. `status`: alpha, beta or deprecated. `released`: a date.
    """

    title: str
    same_as: str | None = None
    maker: str | None = None
    family: str | None = None
    price: Price | None = None
    context: int | None = None
    input: int | None = None
    output: int | None = None
    takes: tuple[str, ...] = ("text",)
    gives: tuple[str, ...] = ("text",)
    tools: bool | None = None
    reasoning: bool | None = None
    schema: bool | None = None
    files: bool | None = None
    status: str | None = None
    released: str | None = None
    graded: Graded | None = None


@keyword_value
class Known:
    """What a plain name stands for, wherever it runs."""

    same_as: str
    maker: str | None = None
    family: str | None = None
    gives: tuple[str, ...] = ("text",)
    graded: Graded | None = None


@value
class Found:
    """A model that was looked up. `provider`: the snapshot's own word for it. `id`: the name under which it stands there."""

    provider: str
    id: str
    model: Model

    @property
    def full(self) -> str:
        """Both names."""
        return f"{self.provider}/{self.id}"


def tier(name: str, known: Model | Known) -> Graded | None:
    """The tier of what is called `name` somewhere: by its kinds of content, else its words, else its price; None: unknown."""
    return tier_of(known.same_as or name, gives=known.gives) or known.graded


# Understudy's providers -> the snapshot's, where the names differ. Several are looked at in turn.
_SHEETS: Mapping[str, tuple[str, ...]] = {
    "bedrock": ("amazon-bedrock",),
    "fireworks": ("fireworks-ai",),
    "gemini": ("google",),
    "together": ("togetherai",),
    "vertex": ("google-vertex", "google-vertex-anthropic"),
}
# Whoever runs these sends the bill, and the name of the software says nothing of who that is: they are known by their address.
_ANYBODY = ("anthropic_compatible", "openai_compatible", "vllm")


class Catalogue:
    """A snapshot. What was unpacked is kept as long as this object. Raises `UnreadableCatalogue` when it is opened or read."""

    def __init__(self, path: Path | None = None) -> None:
        self.name = SHIPPED if path is None else str(path)
        try:
            content = resources.files(__package__).joinpath(SHIPPED).read_bytes() if path is None else path.read_bytes()
            self._zip = zipfile.ZipFile(BytesIO(content))
        except (OSError, zipfile.BadZipFile) as error:
            raise UnreadableCatalogue(self._trouble(error)) from None
        self._members = frozenset(self._zip.namelist())
        self._sheets: dict[str, dict[str, Model]] = {}
        self._by_name: dict[str, dict[str, str]] = {}
        self._addresses: dict[str, str] | None = None
        self._names: dict[str, Known] | None = None
        self.about = self._read("about.json", About)

    def providers(self) -> tuple[str, ...]:
        """Every provider of the snapshot, by its own word for it."""
        beside = {"about.json", "addresses.json", "names.json"}
        return tuple(sorted(name.removesuffix(".json") for name in self._members - beside))

    def sheet(self, provider: str) -> dict[str, Model]:
        """The models of a provider of the snapshot, by the names under which they stand there; none where it is unknown."""
        known = self._sheets.get(provider)
        if known is None:
            member = f"{provider}.json"
            known = self._read(member, dict[str, Model]) if member in self._members else {}
            self._sheets[provider] = known
        return known

    def sheets_of(self, provider: str, base_url: str = "") -> tuple[str, ...]:
        """The snapshot's providers behind a provider of ours: by its name, or by its address where anybody may be behind it."""
        if provider in _ANYBODY:
            whose = self.addresses().get(base_url.rstrip("/"))
            return (whose,) if whose else ()
        names = _SHEETS.get(provider, (provider,))
        return tuple(name for name in names if f"{name}.json" in self._members)

    def addresses(self) -> dict[str, str]:
        """`base_url` -> the provider whose it is."""
        if self._addresses is None:
            self._addresses = self._read("addresses.json", dict[str, str])
        return self._addresses

    def find(self, sheets: tuple[str, ...], model: str) -> Found | None:
        """A model of these providers: under this very name, else under one that means the same there."""
        for provider in sheets:
            listed = self.sheet(provider)
            if model in listed:
                return Found(provider, model, listed[model])
        for provider in sheets:
            names = self._names_in(provider)
            name = comparable(model)
            if name in names:
                return Found(provider, names[name], self.sheet(provider)[names[name]])
            stem, date = undated(name)
            if date and stem in names:
                return Found(provider, names[stem], self._dated(self.sheet(provider)[names[stem]], model))
        return None

    def _dated(self, undated_one: Model, model: str) -> Model:
        """A dated version that is not listed: with the figures of the undated one, but itself where another date is known."""
        stem, date = undated(comparable(model))
        dates = {undated(name)[1] for name in self._known() if undated(name)[0] == stem} - {"", date}
        return replace(undated_one, same_as=plain(model)) if dates else undated_one

    def known(self, model: str) -> Known | None:
        """What a name stands for at whichever provider; None where nobody is known to have such a model."""
        found = self._known().get(comparable(model))
        maker = written_maker(model)
        return None if found is None or (maker is not None and maker != found.maker) else found

    def _known(self) -> dict[str, Known]:
        if self._names is None:
            self._names = self._read("names.json", dict[str, Known])
        return self._names

    def _names_in(self, provider: str) -> dict[str, str]:
        """Comparable names -> the names under which the models stand. Of two the shorter one, which is the more usual."""
        known = self._by_name.get(provider)
        if known is None:
            listed = sorted(self.sheet(provider), key=lambda name: (-len(name), name))
            free = [name for name in listed if name.endswith(":free")]  # on other terms than what is asked for
            named = [*free, *(name for name in listed if name not in free)]
            same = {comparable(one): name for name in named if (one := self.sheet(provider)[name].same_as)}
            known = self._by_name[provider] = same | {comparable(name): name for name in named}
        return known

    def _read(self, member: str, kind: type[T]) -> T:
        try:
            if self._zip.getinfo(member).file_size > MEMBER_BYTES_MAX:
                raise UnreadableCatalogue(self._trouble(f"{member} is larger than {MEMBER_BYTES_MAX} bytes"))
            return msgspec.json.decode(self._zip.read(member), type=kind)
        except KeyError:
            raise UnreadableCatalogue(self._trouble(f"it has no {member}")) from None
        except (msgspec.MsgspecError, zipfile.BadZipFile, OSError) as error:
            raise UnreadableCatalogue(self._trouble(f"{member}: {error}")) from None

    def _trouble(self, what: Any) -> str:
        why = what.strerror if isinstance(what, OSError) and what.strerror else what
        return f"{self.name}: cannot be read: {why}; make it with `understudy models refresh`"
