"""Collects everything that is wrong with a configuration, each with its place, its path, and what to do about it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from understudy.config.expand import Unset, expand
from understudy.config.text import Listing, Mapping, Node, Place, Scalar, resolve
from understudy.core.masking import mask_secrets
from understudy.core.value import value
from understudy.registry import BadSettings

Path = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)


@value
class Problem:
    """`place`: None when it concerns the file as a whole. `lacks`: the path of what ought to be there, if that is the problem."""

    place: Place | None
    path: Path
    message: str
    lacks: Path | None = None

    def told(self, source: str) -> str:
        """`file:line:column: path: message`, as editors and terminals link it."""
        where = f"{source}:{self.place.line}:{self.place.column}" if self.place else source
        return f"{where}: {shown(self.path)}: {self.message}" if self.path else f"{where}: {self.message}"


def shown(path: Path) -> str:
    """A path as people write it: `routes.default.tiers.primary[1]`."""
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return words.removeprefix(".")


def nearest(word: str, known: Iterable[str]) -> str:
    """The suggestion in a message about an unknown word, and what there is instead."""
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(word, names, n=1)
    meant = f'did you mean "{near[0]}"? ' if near else ""
    return f"{meant}Known: {', '.join(names) or 'none'}"


def setting_path(setting: str) -> Path:
    """A setting's path as a registry tells it (`retry.max_s`, `faults[0]`)."""
    parts: list[str] = re.findall(r"[^.\[\]]+", setting)
    return tuple(int(part) if part.isdecimal() else part for part in parts)


class Problems:
    """The problems and warnings of one document. Reads its values, so that each has its place."""

    def __init__(self, root: Node | None, env: MappingOf[str, str]) -> None:
        self._root = root
        self._env = env
        self._found: list[Problem] = []
        self._warned: list[Problem] = []
        self._broken: set[Path] = set()

    @property
    def count(self) -> int:
        """How many things are wrong so far."""
        return len(self._found)

    def problem(self, path: Path, message: str, *, at_key: bool = False) -> None:
        """Something that cannot stay."""
        self._found.append(Problem(self.place(path, at_key=at_key), path, message))

    def absent(self, lacks: Path, message: str, *, at: Path | None = None) -> None:
        """Something that must be there. Not told where it is there but wrong, or under a name that is nearly right."""
        path = lacks[:-1] if at is None else at
        self._found.append(Problem(self.place(path), path, message, lacks))

    def bad_settings(self, path: Path, error: BadSettings, entry: str) -> None:
        """What a registry says of an entry's settings, which stand at `path`. `entry`: how its messages begin."""
        message = str(error).removeprefix(f"{entry}: ")
        # An entry's own check names the setting in front of its words.
        setting = error.setting or message.partition(": ")[0]
        where: Path = (*path, *setting_path(setting))
        if self.node(where) is not None:
            self.problem(where, message.removeprefix(f"{setting}: "))
        elif error.setting:
            self.absent(where, f'"{setting}" {message.removeprefix(f"{setting}: ")}')
        else:
            self.problem(path, message)

    def at(self, place: Place | None, message: str) -> None:
        """Something wrong with the text itself."""
        self._found.append(Problem(place, (), message))

    def warning(self, path: Path, message: str) -> None:
        """Something odd that works."""
        self._warned.append(Problem(self.place(path), path, message))

    def problems(self, source: str) -> list[str]:
        """Everything that is wrong, in the order of the file."""
        told = [problem for problem in self._found if problem.lacks is None or not self._explained(problem.lacks)]
        return [problem.told(source) for problem in sorted(told, key=_position)]

    def warnings(self, source: str) -> tuple[str, ...]:
        """Everything that is odd, in the order of the file."""
        return tuple(warning.told(source) for warning in sorted(self._warned, key=_position))

    def _explained(self, lacks: Path) -> bool:
        """Whether another problem says already why something is not there."""
        meant = f'did you mean "{lacks[-1]}"?'
        return any(
            other.lacks is None
            and (other.path[: len(lacks)] == lacks or (other.path[:-1] == lacks[:-1] and meant in other.message))
            for other in self._found
        )

    def place(self, path: Path, *, at_key: bool = False) -> Place | None:
        """Where a path stands: its value, or its key; the nearest thing around it that exists."""
        node, place = self._root, self._root.place if self._root else None
        for part in path:
            if isinstance(node, Mapping) and part in node.entries:
                place, node = node.keys[str(part)], node.entries[str(part)]
            elif isinstance(node, Listing) and isinstance(part, int) and part < len(node.items):
                node = node.items[part]
                place = node.place
            else:
                return node.place if node else None
        return place if at_key or node is None else node.place

    def node(self, path: Path) -> Node | None:
        """The node at a path, None when there is none."""
        node = self._root
        for part in path:
            if isinstance(node, Mapping) and part in node.entries:
                node = node.entries[str(part)]
            elif isinstance(node, Listing) and isinstance(part, int) and part < len(node.items):
                node = node.items[part]
            else:
                return None
        return node

    def plain(self, node: Node, path: Path) -> Any:
        """A node as plain data, its variables replaced."""
        if isinstance(node, Mapping):
            return {name: self.plain(inner, (*path, name)) for name, inner in node.entries.items()}
        if isinstance(node, Listing):
            return [self.plain(inner, (*path, index)) for index, inner in enumerate(node.items)]
        try:
            return resolve(node, expand(node.text, self._env))
        except Unset as error:
            self.problem(path, str(error))
            self._broken.add(path)
            return None

    def section(self, model: type[M], data: Any, path: Path, *, also: Iterable[str] = ()) -> M | None:
        """Data as a section. `also`: further keys to suggest.

        Tells what is wrong with it, and gives what remains without that, so that the rest can be looked at too: None when
        that is no section.
        """
        try:
            return model.model_validate(data)
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False)
        for one in wrong:
            self._tell(model, one, path, tuple(also))
        try:
            return model.model_validate(_without(data, [one["loc"] for one in wrong]))
        except ValidationError:
            return None

    def _tell(self, model: type[BaseModel], error: Any, base: Path, also: tuple[str, ...]) -> None:
        loc: Path = error["loc"]
        at_key = bool(loc) and loc[-1] == "[key]"
        path = (*base, *(loc[:-1] if at_key else loc))
        if any(path[:length] in self._broken for length in range(len(path) + 1)):
            return
        kind = error["type"]
        if kind == "extra_forbidden":
            known = [*_keys(model, loc[:-1]), *(also if len(loc) == 1 else ())]
            self.problem(path, f"unknown key; {nearest(str(loc[-1]), known)}", at_key=True)
        elif kind == "missing":
            self.absent(path, f'"{loc[-1]}" must be given')
        else:
            self.problem(path, _words(error, self._raw(path, at_key=at_key)), at_key=at_key)

    def _raw(self, path: Path, *, at_key: bool) -> str:
        """What stands there, as it was written (so no secret that a variable brought in), short and masked."""
        if at_key:
            return f'"{path[-1]}"'
        node = self.node(path)
        if isinstance(node, Scalar):
            text = mask_secrets(node.text)
            return f'"{text if len(text) <= 40 else text[:37] + "..."}"' if text else "nothing"
        return "a list" if isinstance(node, Listing) else "a mapping" if isinstance(node, Mapping) else "nothing"


def _without(data: Any, locs: list[Path]) -> Any:
    """The data without what stands at these paths (or under a bad key)."""
    gone = [loc[0] for loc in locs if len(loc) == 1 or loc[1:] == ("[key]",)]

    def rest(part: str | int) -> list[Path]:
        return [loc[1:] for loc in locs if loc[:1] == (part,) and len(loc) > 1]

    if isinstance(data, dict):
        return {name: _without(inner, rest(name)) for name, inner in data.items() if name not in gone}
    if isinstance(data, list):
        return [_without(inner, rest(index)) for index, inner in enumerate(data) if index not in gone]
    return data


def _position(problem: Problem) -> tuple[int, int, str]:
    place = problem.place
    return (place.line, place.column, problem.message) if place else (0, 0, problem.message)


# What pydantic calls an error -> what a reader is told. `{raw}`: what stands there; the rest is the error's context.
_WORDS = {
    "bool_type": "must be true or false, not {raw}",
    "dict_type": "must be a mapping (`name: value`), not {raw}",
    "float_type": "must be a number, not {raw}",
    "greater_than": "must be more than {gt:g}, not {raw}",
    "greater_than_equal": "must be at least {ge:g}, not {raw}",
    "int_from_float": "must be a whole number, not {raw}",
    "int_type": "must be a whole number, not {raw}",
    "less_than": "must be less than {lt:g}, not {raw}",
    "less_than_equal": "must be at most {le:g}, not {raw}",
    "list_type": "must be a list (`[one, two]`), not {raw}",
    "literal_error": "must be one of {expected}, not {raw}",
    "model_type": "must be a mapping (`key: value`), not {raw}",
    "string_too_long": "must be at most {max_length} characters",
    "string_too_short": "must not be empty",
    "string_type": "must be text, not {raw} (quotes make text of anything)",
}


def _words(error: Any, raw: str) -> str:
    context = error.get("ctx", {})
    template = _WORDS.get(error["type"])
    if template is None:
        return str(error["msg"])
    return template.format(raw=raw, **{name: given for name, given in context.items() if name != "raw"})


def _keys(model: type[BaseModel], loc: Path) -> list[str]:
    """The keys that are known where `loc` leads to inside a section."""
    kind: Any = model
    for part in loc:
        kind = _inside(kind, part)
    found = _model_in(kind)
    return list(found.model_fields) if found else []


def _inside(kind: Any, part: str | int) -> Any:
    found = _model_in(kind)
    if found is not None:
        field = found.model_fields.get(str(part))
        return field.annotation if field else None
    inner = get_args(kind)
    return inner[-1] if get_origin(kind) in (dict, list) and inner else None


def _model_in(kind: Any) -> type[BaseModel] | None:
    """The section in an annotation: itself, or the one beside None."""
    for candidate in (kind, *get_args(kind)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
