"""Reads a folder as a registry: one small file is one entry, and third parties enter by the same door.

- The file's stem is the entry's name in the configuration (stems that begin with `_` are shared code, not entries).
- Its single export, under the name that the registry gives (`FAULT`, `STRATEGY`, ...), is the entry: either a finished
  object (a function, an instance), or a class whose fields are its settings.
- The module's docstring is its text in the reference, the first line its row there. A setting is described in the class's
  docstring as `name`: words, up to the next one.
- Another distribution adds an entry with an entry point in the group `understudy.<folder>`, naming such a module (or the
  export itself). It cannot take the name of one of ours.

Listing names imports no entry; asking for one imports that one only.
"""

from __future__ import annotations

import dataclasses
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, get_args, get_type_hints

import msgspec

from understudy.core.value import value

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

E = TypeVar("E")


class UnknownName(LookupError):
    """No entry of that name. The message suggests the nearest one and lists all."""


class BadSettings(ValueError):
    """An entry's settings cannot be read. The message names the entry and the setting, and says what is wanted.

    `setting`: its path inside the settings (`retry.max_s`), empty when they are at fault as a whole.
    """

    def __init__(self, message: str, setting: str = "") -> None:
        super().__init__(message)
        self.setting = setting


class BadEntry(TypeError):
    """A module in the folder, or a third party's, is no entry: a mistake of its author, not of who configures it."""


@value
class SettingPage:
    """One setting for the reference. `default`: as Python writes it, None when the setting must be given."""

    name: str
    type: str
    default: str | None
    text: str


@value
class EntryPage:
    """One entry for the reference. `line`: one sentence. `text`: the rest of its docstring. `source`: its module."""

    name: str
    line: str
    text: str
    settings: tuple[SettingPage, ...]
    source: str


@value
class Visitor:
    """An entry of another distribution. `place`: its module, and behind a colon what in it; `owner`: the distribution's name."""

    place: str
    owner: str

    @property
    def module(self) -> str:
        """The module that offers it."""
        return self.place.partition(":")[0]

    def load(self) -> Any:
        """Import it."""
        module, _, path = self.place.partition(":")
        loaded = import_module(module)
        return attrgetter(path)(loaded) if path else loaded


Visitors = dict[str, dict[str, Visitor]]
"""By the group of the registry (`understudy.<folder>`) and the entry's name."""


class Registry(Generic[E]):
    """The entries of one folder.

    `package`: the folder as a dotted name. `export`: the module-level name under which each file offers its entry. `kind`: what an
    entry is called in messages ("fault", "strategy").
    """

    def __init__(self, package: str, export: str, *, kind: str) -> None:
        self.package = package
        self.export = export
        self.kind = kind
        self.group = f"understudy.{package.rpartition('.')[2]}"
        self._exports: dict[str, Any] = {}

    def names(self) -> tuple[str, ...]:
        """Every name, sorted. Raises `BadEntry` when a third party uses a name that is taken."""
        ours = self._ours()
        visitors = self._visitors()
        if taken := ours & visitors.keys():
            name = min(taken)
            raise BadEntry(
                f"{visitors[name].owner} offers the {self.kind} {name!r}, a name that {self.package} has itself"
            )
        return tuple(sorted(ours | visitors.keys()))

    def __contains__(self, name: object) -> bool:
        return name in self._ours() or name in self._visitors()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def entry(self, name: str) -> Callable[..., E] | E:
        """What the file exports: a class with settings, or a finished object. Imported when first asked for."""
        if name not in self._exports:
            self._exports[name] = self._load(name)
        return cast("Callable[..., E] | E", self._exports[name])

    def build(self, name: str, settings: Mapping[str, Any] | None = None) -> E:
        """The entry with these settings, as a configuration file gives them. Raises `UnknownName`, `BadSettings`."""
        entry = self.entry(name)
        given = dict(settings or {})
        if not inspect.isclass(entry):
            if given:
                raise BadSettings(f"{self.kind} {name}: takes no settings, but {_quoted(given)} was given")
            return cast("E", entry)
        if found := _unknown_setting(entry, given):
            setting, words = found
            raise BadSettings(f"{self.kind} {name}: {words}", setting)
        try:
            return cast("E", msgspec.convert(given, entry))
        except msgspec.ValidationError as error:
            setting, words = _told(str(error), given)
            if words.startswith("invalid enum value") and (known := get_args(get_type_hints(entry).get(setting))):
                words = f"must be one of {', '.join(map(str, known))}, not {given[setting]!r}"
            where = f"{self.kind} {name}: {setting}: " if setting else f"{self.kind} {name}: "
            raise BadSettings(where + words, setting) from error

    def read(self, spec: Any) -> E:
        """The entry that a configuration value names: `name`, or `{name: {setting: value, ...}}`."""
        match spec:
            case str():
                return self.build(spec)
            case dict() if len(spec) == 1:
                [(name, settings)] = spec.items()
                if isinstance(name, str) and (settings is None or isinstance(settings, dict)):
                    return self.build(name, settings)
        raise BadSettings(f"a {self.kind} is written as its name, or as {{name: {{setting: value}}}}, not as {spec!r}")

    def describe(self, name: str) -> EntryPage:
        """The page of one entry."""
        entry = self.entry(name)
        source = self._source(name)
        doc = inspect.cleandoc(sys.modules[source].__doc__ or "")
        line, _, text = doc.partition("\n")
        if not line:
            raise BadEntry(f"{source} has no docstring: its first line is the {self.kind}'s line in the reference")
        return EntryPage(name, line, text.strip(), setting_pages(entry) if inspect.isclass(entry) else (), source)

    def _visitors(self) -> dict[str, Visitor]:
        return visitors().get(self.group, {})

    def _ours(self) -> set[str]:
        package = import_module(self.package)
        return {found.name for found in pkgutil.iter_modules(package.__path__) if not found.name.startswith("_")}

    def _source(self, name: str) -> str:
        visitor = None if name in self._ours() else self._visitors().get(name)
        return visitor.module if visitor else f"{self.package}.{name}"

    def _load(self, name: str) -> Any:
        if name in self._ours():
            return self._export_of(import_module(f"{self.package}.{name}"))
        if visitor := self._visitors().get(name):
            loaded = visitor.load()
            return self._export_of(loaded) if inspect.ismodule(loaded) else loaded
        raise UnknownName(unknown(self.kind, name, self.names()))

    def _export_of(self, module: Any) -> Any:
        try:
            export = getattr(module, self.export)
        except AttributeError:
            raise BadEntry(f"{module.__name__} is no {self.kind}: it has no {self.export}") from None
        if inspect.isclass(export) and not dataclasses.is_dataclass(export):
            raise BadEntry(f"{module.__name__}.{self.export} is a class without declared settings: make it a dataclass")
        return export


def unknown(kind: str, name: str, known: tuple[str, ...]) -> str:
    """The message for a name that does not exist: what was probably meant, and what there is."""
    import difflib  # for those who mistyped

    near = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else "."
    return f"there is no {kind} {name!r}{meant} Known: {', '.join(known) or 'none'}"


_known: Visitors | None = None


def visitors() -> Visitors:
    """What other distributions offer: as `know` was told, else as it is found."""
    return _found() if _known is None else _known


def know(told: Visitors) -> None:
    """Take somebody's word for what other distributions offer, as a worker does its supervisor's: looking takes 20 ms and 1.2 MB."""
    global _known  # noqa: PLW0603  it is true of the whole process
    _known = told


@cache
def _found() -> Visitors:
    from importlib.metadata import entry_points  # for those who list, or ask for a name that is not ours

    every = entry_points()
    return {
        group: {one.name: _visitor(one) for one in every.select(group=group)}
        for group in every.groups
        if group.startswith("understudy.")
    }


def _visitor(one: EntryPoint) -> Visitor:
    place = f"{one.module}:{one.attr}" if one.attr else one.module
    return Visitor(place, one.dist.name if one.dist else one.value)


def _unknown_setting(entry: Any, given: Mapping[str, Any], path: str = "") -> tuple[str, str] | None:
    """The first setting that the entry, or a dataclass inside it, does not have: its path, and what to say."""
    hints = get_type_hints(entry)
    known = tuple(field.name for field in dataclasses.fields(entry) if field.init)
    for name, setting in given.items():
        if name not in known:
            return f"{path}{name}", unknown("setting", f"{path}{name}", tuple(path + each for each in known))
        nested = [kind for kind in (hints[name], *get_args(hints[name])) if dataclasses.is_dataclass(kind)]
        if (
            len(nested) == 1
            and isinstance(setting, dict)
            and (found := _unknown_setting(nested[0], setting, f"{path}{name}."))
        ):
            return found
    return None


_CONVERT_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")


def _told(message: str, given: Mapping[str, Any]) -> tuple[str, str]:
    """A conversion error as the setting's path and the words: "from_s", "expected `float`, got `str`".

    An entry that looks at its own settings begins with the name of the one that is wrong: "share: must be between 0 and 1".
    """
    found = _CONVERT_PATH.search(message)
    path, words = (found["path"], message[: found.start()]) if found else ("", message)
    if missing := re.match(r"Object missing required field `(\w+)`", words):
        return ".".join(filter(None, (path, missing[1]))), "must be given"
    own, colon, rest = words.partition(": ")
    if not path and colon and own in given:
        return own, rest
    return path, words[:1].lower() + words[1:]


def _quoted(given: Mapping[str, Any]) -> str:
    return ", ".join(repr(name) for name in given)


def setting_pages(entry: Any) -> tuple[SettingPage, ...]:
    """The settings of a class, as the reference tells them: a text comes from the docstring, its own or of a class above it."""
    texts: dict[str, str] = {}
    for owner in reversed(entry.__mro__):
        texts |= _setting_texts(owner.__doc__ or "")
    return tuple(
        SettingPage(field.name, str(field.type), _default(field), texts.get(field.name, ""))
        for field in dataclasses.fields(entry)
        if field.init
    )


def _default(field: dataclasses.Field[Any]) -> str | None:
    if field.default is not dataclasses.MISSING:
        return repr(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return repr(field.default_factory())
    return None


_SETTING = re.compile(r"((?:`\w+`, )*`\w+`): (.*?)(?=\s(?:`\w+`, )*`\w+`: |\n\n|\Z)", re.DOTALL)


def _setting_texts(doc: str) -> dict[str, str]:
    """What a docstring says of each setting, where it writes "`name`: words" or "`one`, `two`: words"."""
    texts: dict[str, str] = {}
    for names, words in _SETTING.findall(inspect.cleandoc(doc)):
        for name in re.findall(r"`(\w+)`", names):
            texts[name] = " ".join(words.split())
    return texts
