"""Immutable values: dataclasses with slots that the type checker treats as frozen.

`frozen=True` would enforce it at run time, at five times the cost of construction (1.65 us against 0.35 us for eight
fields); the type checker enforces it for nothing. `unsafe_hash`: a value may stand as another one's default and as a key,
like a frozen one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value(cls: type[T]) -> type[T]:
    """Declare an immutable value: compared by its fields, never changed after construction."""
    return dataclass(slots=True, eq=True, unsafe_hash=True)(cls)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def keyword_value(cls: type[T]) -> type[T]:
    """Declare an immutable value whose many fields are given by name.

    A call that names 16 fields costs 0.6 us more than one that gives them in order: what every request makes is a `value`.
    """
    return dataclass(slots=True, eq=True, unsafe_hash=True, kw_only=True)(cls)


JsonObject = dict[str, Any]
