"""What every node of a conversation or an answer has: fields, marks, a ledger of what it lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from understudy.core.conversation import Document, Extra, Format, Image, Tool, ToolResult
from understudy.core.projection.carries import (
    COSMETIC,
    COSMETIC_FIELDS,
    ESSENTIAL,
    FIELD_WEIGHTS,
    FIELDS,
    LOSSY,
    SAID_ANYWAY,
    SAYS_BY_BEING_THERE,
    Carries,
    Loss,
)


class Losses:
    """Each loss once, in the order of meeting it."""

    __slots__ = ("seen",)

    def __init__(self) -> None:
        self.seen: dict[tuple[str, str], None] = {}

    def add(self, name: str, weight: str) -> None:
        self.seen[name, weight] = None

    def refuse(self, name: str) -> None:
        """Make the request one that cannot cross, if no loss so far does."""
        if not any(weight == ESSENTIAL for _, weight in self.seen):
            self.add(name, ESSENTIAL)

    def report(self) -> tuple[Loss, ...]:
        return tuple(Loss(name, weight) for name, weight in self.seen)


def own_extra(extra: Extra | None, where: str, carries: Carries, losses: Losses) -> Extra | None:
    """Fields that only one dialect knows, if it is this one."""
    if extra is None or not extra.fields:
        return None
    if extra.dialect == carries.dialect:
        return extra
    lost_fields(extra, where, losses)
    return None


def words_extra(extra: Extra | None, where: str, carries: Carries, losses: Losses) -> Extra | None:
    """The same for a text or a thought, which may have to be nothing but words."""
    if extra is not None and carries.bare_texts and extra.dialect == carries.dialect:
        lost_fields(extra, where, losses)
        return None
    return own_extra(extra, where, carries, losses)


def lost_fields(extra: Extra, where: str, losses: Losses) -> None:
    """Report fields that stay behind. One that is empty or false says nearly always what is so without it."""
    for name, held in extra.fields.items():
        if name == "message" and isinstance(held, dict):  # what stands in it has names of its own
            lost_fields(Extra(extra.dialect, held), f"{where}message.", losses)
            continue
        silent = (not held and name not in SAYS_BY_BEING_THERE) or held == SAID_ANYWAY.get(name)
        weight = COSMETIC if silent or name in COSMETIC_FIELDS else FIELD_WEIGHTS.get(name, LOSSY)
        losses.add(where + name, weight)


def cache_mark(mark: Any, node: str, where: str, carries: Carries, losses: Losses) -> Any:
    """The caller's cache mark, where a node of this kind may bear one."""
    if mark is None or node in carries.cache:
        return mark
    losses.add(f"{where}.cache_control", COSMETIC)
    return None


N = TypeVar("N", bound=Image | Document | ToolResult | Tool | Format)


def carried_fields(node: N, name: str, where: str, carries: Carries, losses: Losses) -> N:
    """The node without the optional fields that the format lacks."""
    carried = carries.fields.get(name, ())
    for field, (weight, silent) in FIELDS[name].items():
        held = getattr(node, field)
        if held is not None and field not in carried:
            if held != silent:
                losses.add(f"{where}.{field}", weight)
            absent: dict[str, Any] = {field: None}
            node = replace(node, **absent)
    return node
