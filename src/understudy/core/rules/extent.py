"""What a condition lets through, as a value that can be compared: enough to tell that a rule never applies, or another one always does.

Where two cannot be compared the answer is the careful one: it may hold, it need not be covered.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from math import inf

from understudy.core.value import value

WILD = "*?["


@value
class Ranges:
    """Numbers from a low end (included) to a high one (not), in one or several pieces."""

    pieces: tuple[tuple[float, float], ...]

    def empty(self) -> bool:
        """Whether nothing can be in it."""
        return not any(low < high for low, high in self.pieces)

    def covers(self, other: Extent) -> bool:
        """Whether whatever is in the other is in this. A piece that spans two of ours counts as not."""
        return isinstance(other, Ranges) and all(
            any(mine[0] <= low and high <= mine[1] for mine in self.pieces) for low, high in other.pieces if low < high
        )

    def apart(self, other: Extent) -> bool:
        """Whether nothing is in both."""
        return isinstance(other, Ranges) and all(
            max(mine[0], low) >= min(mine[1], high) for mine in self.pieces for low, high in other.pieces
        )


@value
class Names:
    """Any of these words; `*`, `?` and `[..]` in them stand for others, as in file names."""

    names: tuple[str, ...]

    def empty(self) -> bool:
        """Whether nothing can be in it."""
        return not self.names

    def covers(self, other: Extent) -> bool:
        """Whether whatever is in the other is in this."""
        return isinstance(other, Names) and all(self.holds(name) for name in other.names)

    def apart(self, other: Extent) -> bool:
        """Whether nothing is in both."""
        return isinstance(other, Names) and not any(_meet(mine, name) for mine in self.names for name in other.names)

    def holds(self, name: str) -> bool:
        """Whether a word is among them."""
        return any(fnmatchcase(name, mine) for mine in self.names)


Extent = Ranges | Names


def _meet(one: str, other: str) -> bool:
    """Whether some word fits both patterns; taken for granted when both are patterns indeed."""
    return (wild(one) and wild(other)) or fnmatchcase(one, other) or fnmatchcase(other, one)


def wild(name: str) -> bool:
    """Whether a word stands for others."""
    return any(mark in name for mark in WILD)


def at_least(low: float | None, below: float | None) -> Ranges:
    """From a bound to another; None: none."""
    return Ranges(((-inf if low is None else low, inf if below is None else below),))
