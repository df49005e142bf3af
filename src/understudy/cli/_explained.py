"""An explanation as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from understudy.cli._output import tell
from understudy.core.explanation.told import Chosen, Considered, Explanation
from understudy.core.explanation.words import flipped, known_words, label, part_words, sureness
from understudy.core.value import JsonObject

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH = 120
"""Where nobody says how wide it may be: into a file or a pipe."""


def show(title: str, told: Explanation, page: JsonObject, *, as_json: bool, ending: Sequence[str] = ()) -> None:
    """Print it: a table for each choice, and under it how sure it is and what would have changed it."""
    if as_json:
        tell("", page, as_json=True)
        return
    console = _console()
    above = [title, *(told.ruling.told() if told.ruling is not None else ()), *told.notes]
    for line in above:
        console.print(line, soft_wrap=True)
    for choice in told.choices:
        console.print(_heading(choice))
        if choice.candidates or choice.excluded:
            console.print(_table(choice))
        for line in _below(choice):
            console.print(line, soft_wrap=True)
    if any(choice.held for choice in told.choices):
        console.print(f"bounds: {told.bounds}", soft_wrap=True)
    for line in ending:
        console.print(line, soft_wrap=True)


def _console() -> Console:
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    return console if console.is_terminal else Console(markup=False, highlight=False, emoji=False, width=WIDTH)


def _heading(choice: Chosen) -> str:
    return f"{choice.number}. {label(choice)}: strategy {choice.strategy}, balancer {choice.balancer}"


def _table(choice: Chosen) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=True, show_edge=False)
    for name in ("", "target", "score"):
        table.add_column(name, justify="right" if name != "target" else "left", no_wrap=name != "target")
    table.add_column("made of", overflow="fold")
    for place, one in enumerate(choice.candidates, 1):
        table.add_row(str(place), Text(one.target), f"{one.score:.5g}", Text("\n".join(_made_of(one))))
    for out in choice.excluded:
        table.add_row("-", Text(out.target), "", Text(f"{out.reason}: {out.detail}"))
    return table


def _made_of(one: Considered) -> Iterator[str]:
    yield from (part_words(part) for part in one.parts)
    yield from (f"among equals: {part_words(part)}" for part in one.among_equals)
    yield from known_words(one)


def _below(choice: Chosen) -> Iterator[str]:
    if choice.confidence is not None:
        yield f"   {sureness(choice.confidence)}"
    yield from (f"   {line}" for line in flipped(choice))
