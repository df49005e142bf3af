"""What the rules said of one request, kept so that it can be told, and judged again."""

from __future__ import annotations

from typing import Any

from understudy.core.value import value


@value
class Reading:
    """One rule that was asked. `seen`: what its conditions saw, in the order of asking, as far as it had to be asked."""

    rule: str
    applies: bool
    seen: tuple[tuple[str, Any], ...]


@value
class Ruling:
    """What the rules said of one request. `asked`: the route that the caller named. `off`: rules that were switched off.

    With the rules of the same configuration, `readings` and `off` are all that it depended on.
    """

    asked: str
    fired: tuple[str, ...]
    readings: tuple[Reading, ...]
    off: tuple[str, ...] = ()
    refusal: str | None = None

    def told(self) -> list[str]:
        """In words, a line for each rule."""
        lines = []
        for reading in self.readings:
            saw = ", ".join(f"{name} {_words(seen)}" for name, seen in reading.seen) or "asks nothing"
            lines.append(f"rule {reading.rule} {'applies' if reading.applies else 'does not apply'}: {saw}")
        lines += [f"rule {name} is switched off" for name in self.off]
        if self.refusal is not None:
            lines.append(f"refused: {self.refusal}")
        return lines


def _words(seen: Any) -> str:
    if isinstance(seen, (tuple, list)):
        return "/".join(_words(one) for one in seen)
    return "unknown" if seen is None else f"{seen:.6g}" if isinstance(seen, float) else str(seen)
