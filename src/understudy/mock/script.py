"""What the mock is to do, as a YAML file or a value says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from math import inf
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from understudy.core.value import keyword_value
from understudy.faults import FAULTS, Fault
from understudy.registry import BadSettings, UnknownName, unknown

WORDS_MAX = 100_000
"""Words that are made up for an answer. A text of the script's own may be as long as its author likes."""

FIGURE_MAX = 1e9
"""No setting of a fault is larger, either way: thirty years, or a petabyte. Only a span may be endless."""


class BadScript(ValueError):
    """The script cannot be used. The message says where and why."""


@keyword_value
class Script:
    """What the mock is to do.

    `seed`: of all chance in it. `provider`: its name, as `where` of a fault may give it. `faults`: what goes wrong, each
    a fault's name or `{name: {setting: value}}`; second 0 is the mock's start. `models`: those that it lists (it answers to
    any name). `key`: what requests must carry, None: nothing. `text`: what it always says, None: it echoes the question and
    adds some Latin; `words`: how much of it. `split`: bodies are cut at random places, so that reads end inside events, lines and
    characters. `recording`: recorded traffic to answer from instead (JSON lines, perhaps gzipped; relative to the script).
    `match`: which record answers, that of the same request or the next one in the file. `ignore`: top-level fields of a
    request that need not be the same.
    """

    seed: int = 0
    provider: str = "mock"
    faults: tuple[Any, ...] = ()
    models: tuple[str, ...] = ("mock-small", "mock-large")
    key: str | None = None
    text: str | None = None
    words: int = 24
    split: bool = False
    recording: str | None = None
    match: Literal["request", "order"] = "request"
    ignore: tuple[str, ...] = ("model", "stream_options")

    def __post_init__(self) -> None:
        if not 0 <= self.words <= WORDS_MAX:
            raise ValueError(f"`words` ({self.words}) must lie between 0 and {WORDS_MAX:,}")


def read_script(source: str) -> Script:
    """The script in a YAML text. Raises `BadScript`; faults are checked, too."""
    try:
        read = yaml.safe_load(source)
    except yaml.YAMLError as error:
        raise BadScript(f"not YAML: {error}") from error
    read = {} if read is None else read
    if not isinstance(read, dict):
        raise BadScript("a script is a mapping of settings to values")
    known = tuple(field.name for field in fields(Script))
    for name in read:
        if name not in known:
            raise BadScript(unknown("setting", str(name), known))
    try:
        script = msgspec.convert(read, Script)
    except msgspec.ValidationError as error:
        raise BadScript(str(error)) from error
    read_faults(script.faults)
    return script


def load_script(path: Path) -> Script:
    """The script in a file. Raises `BadScript`, with the file's name."""
    try:
        script = read_script(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadScript(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, BadScript) as error:
        raise BadScript(f"{path}: {error}") from error
    return script if script.recording is None else replace(script, recording=str(path.parent / script.recording))


def read_faults(specs: Iterable[Any]) -> tuple[Fault, ...]:
    """The faults of a script; finished ones are taken as they are. Raises `BadScript`."""
    try:
        return tuple(spec if isinstance(spec, Fault) else _within_bounds(FAULTS.read(spec)) for spec in specs)
    except (UnknownName, BadSettings) as error:
        raise BadScript(str(error)) from error


def _within_bounds(fault: Any) -> Any:
    """The same fault. Raises `BadScript` for a figure that no clock or counter can do anything with."""
    for field in fields(fault) if is_dataclass(fault) else ():
        figure: Any = getattr(fault, field.name)
        endless = figure == field.default == inf
        if isinstance(figure, int | float) and not endless and not -FIGURE_MAX <= figure <= FIGURE_MAX:
            raise BadScript(f"`{field.name}` ({figure!r:.40}) must lie between {-FIGURE_MAX:g} and {FIGURE_MAX:g}")
    return fault
