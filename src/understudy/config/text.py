"""YAML as nodes that know their place, so that whatever is wrong can be pointed at.

PyYAML reads the characters; what they mean is decided here, by the YAML 1.2 core schema. YAML 1.1, which PyYAML follows
by itself, takes `no` for false, `12:30` for 750 and `1e3` for a word.

Bounded: a file of 1 MiB, 32 levels, 50,000 nodes after aliases are followed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Self

import yaml

from understudy.core.value import value

BYTES_MAX = 1024 * 1024
DEPTH_MAX = 32
NODES_MAX = 50_000

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TAG = "tag:yaml.org,2002:"


@value
class Place:
    """Where something stands; both count from 1."""

    line: int
    column: int


class Unreadable(Exception):
    """The text is no YAML, or more of it than a configuration may be. Nothing else can be said about it."""

    def __init__(self, place: Place | None, message: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message


class Real(float):
    """A number that remembers how it was written, so that money need not pass through binary fractions."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Read the text; YAML writes infinity as `.inf`."""
        number = super().__new__(cls, re.sub(r"\.(inf|nan)", r"\1", text.lower()))
        number.text = text
        return number


@value
class Scalar:
    """`plain`: written without quotes, so that its characters decide what it is. `tag`: an explicit one, or None."""

    place: Place
    text: str
    plain: bool
    tag: str | None = None


@value
class Listing:
    """A sequence."""

    place: Place
    items: list[Node]


@value
class Mapping:
    """A mapping. `keys`: where each key stands."""

    place: Place
    entries: dict[str, Node]
    keys: dict[str, Place]


Node = Scalar | Listing | Mapping


@value
class Fault:
    """Something wrong at a place."""

    place: Place
    message: str


def read(text: str) -> tuple[Node | None, list[Fault]]:
    """The document's nodes (None when it is empty), and what is wrong with its form. Raises `Unreadable`."""
    if len(text) > BYTES_MAX:
        raise Unreadable(None, f"the file is larger than {BYTES_MAX} characters")
    try:
        return _Reader(text).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = _told(error)
        if mark and text[max(mark.index - 1, 0) : mark.index + 1] == "${":
            told += ' (inside { } and [ ] a variable needs quotes: "${NAME}")'
        raise Unreadable(_place(mark), told) from None
    except yaml.reader.ReaderError as error:
        place = Place(text.count("\n", 0, error.position) + 1, error.position - text.rfind("\n", 0, error.position))
        raise Unreadable(place, f"a character that YAML does not allow: {error.character!r}") from None
    except (ValueError, OverflowError):
        # PyYAML's own slips: escapes beyond Unicode, version numbers of thousands of digits.
        raise Unreadable(None, "the file holds an escape or a number that cannot be read") from None


def resolve(scalar: Scalar, text: str) -> Any:
    """What a scalar means once its text is final: None, a bool, an int, a `Real` or a str."""
    if scalar.tag == _TAG + "str" or not scalar.plain:
        return text
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return Real(text)
    return text


def finite(number: float) -> bool:
    """Whether a number can be counted with."""
    return math.isfinite(number)


def _place(mark: Any) -> Place | None:
    return Place(mark.line + 1, mark.column + 1) if mark else None


def _told(error: yaml.MarkedYAMLError) -> str:
    told = ", ".join(part for part in (error.context, error.problem) if part)
    if "'\\t'" in told:
        told += " (YAML allows no tabs: indent with spaces)"
    return f"this is no YAML: {told}"


class _Reader:
    """Builds nodes from PyYAML's events; its own composer neither bounds depth nor minds duplicate keys."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.SafeLoader)
        self._anchors: dict[str, Node] = {}
        self._faults: list[Fault] = []
        self._nodes = 0

    def document(self) -> tuple[Node | None, list[Fault]]:
        root: Node | None = None
        seen = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                seen += 1
                if seen > 1:
                    raise Unreadable(_place(event.start_mark), "a second document begins here; write one file for each")
                root = self._node(next(self._events), 1)
        if isinstance(root, Scalar) and resolve(root, root.text) is None:
            root = None
        return root, self._faults

    def _node(self, event: Any, depth: int) -> Node:
        place = Place(event.start_mark.line + 1, event.start_mark.column + 1)
        self._count(place, depth)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise Unreadable(place, f"there is no anchor &{event.anchor} before this")
            node = self._anchors[event.anchor]
            self._weigh(node, place, depth)
            return node
        node = self._fresh(event, place, depth)
        if event.anchor:
            # Only now: a node that holds itself would have no end.
            self._anchors[event.anchor] = node
        return node

    def _fresh(self, event: Any, place: Place, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, place)
        self._refuse_tag(event, place)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(inner, depth + 1))
            return Listing(place, items)
        return self._mapping(place, depth)

    def _mapping(self, place: Place, depth: int) -> Mapping:
        entries: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        merged: list[Mapping] = []
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            node = self._node(next(self._events), depth + 1)
            if not isinstance(key, Scalar):
                self._faults.append(Fault(key.place, "a key must be a word, not a list or a mapping"))
            elif key.plain and key.text == "<<":
                merged += self._merged(node)
            elif key.text in entries:
                first = keys[key.text].line
                self._faults.append(
                    Fault(key.place, f"the key {key.text!r} stands here a second time (first: line {first})")
                )
            else:
                entries[key.text] = node
                keys[key.text] = key.place
        for other in merged:
            for name, node in other.entries.items():
                if name not in entries:
                    entries[name] = node
                    keys[name] = other.keys[name]
        return Mapping(place, entries, keys)

    def _merged(self, node: Node) -> list[Mapping]:
        parts = node.items if isinstance(node, Listing) else [node]
        for part in parts:
            if not isinstance(part, Mapping):
                self._faults.append(Fault(part.place, "`<<` merges mappings only"))
        return [part for part in parts if isinstance(part, Mapping)]

    def _scalar(self, event: Any, place: Place) -> Scalar:
        text: str = event.value
        if any("\ud800" <= char <= "\udfff" for char in text):
            self._faults.append(Fault(place, "an escape that is no character (half a surrogate pair)"))
            text = ""
        known = {None, "!", _TAG + "str"}
        if event.tag not in known:
            self._refuse_tag(event, place)
        return Scalar(place, text, event.style is None and event.tag != "!", event.tag)

    def _refuse_tag(self, event: Any, place: Place) -> None:
        if event.tag not in {None, "!", _TAG + "map", _TAG + "seq"}:
            short = event.tag.replace(_TAG, "!!")
            self._faults.append(Fault(place, f"the tag {short} is not used here; leave it out (quotes make text)"))

    def _count(self, place: Place, depth: int, nodes: int = 1) -> None:
        if depth > DEPTH_MAX:
            raise Unreadable(place, f"nested deeper than {DEPTH_MAX} levels")
        self._nodes += nodes
        if self._nodes > NODES_MAX:
            raise Unreadable(place, f"more than {NODES_MAX} entries, aliases counted in full")

    def _weigh(self, node: Node, place: Place, depth: int) -> None:
        """Count an alias as what it stands for: a few lines of aliases to aliases can stand for millions of nodes."""
        inner = (
            node.items
            if isinstance(node, Listing)
            else list(node.entries.values())
            if isinstance(node, Mapping)
            else []
        )
        for one in inner:
            self._count(place, depth + 1)
            self._weigh(one, place, depth + 1)
