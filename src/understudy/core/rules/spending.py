"""What was spent so far: by everybody, by a principal, a session or a route; since the start, or in the present hour or day."""

from __future__ import annotations

from collections.abc import Iterable

from understudy.core.value import value

KEYS_MAX = 20_000
"""Sessions and principals that are remembered; whoever has not spent for longest is forgotten first."""

PER_S = {"start": None, "hour": 3600, "day": 86_400}


@value
class _Purse:
    """What one of them spent, in nano-dollars. `window`: which hour or day that was."""

    window: int
    nusd: int


class Spending:
    """Sums over what was told, in nano-dollars. `asked`: (of, per) pairs that anybody will want to know."""

    __slots__ = ("_asked", "_purses")

    def __init__(self, asked: Iterable[tuple[str, str]]) -> None:
        self._asked = tuple(dict.fromkeys(asked))
        self._purses: dict[tuple[str, str, str], _Purse] = {}

    def add(self, names: dict[str, str], nusd: int, wall_s: float) -> None:
        """Somebody spent. `names`: who it was, by kind (principal, session, route); "" for nobody in particular."""
        for of, per in self._asked:
            name = names.get(of, "")
            if of != "everything" and not name:
                continue
            window = _window(per, wall_s)
            key = (of, per, name)
            before = self._purses.pop(key, None)  # put back at the end: the first is who was not heard of for longest
            known = before.nusd if before is not None and before.window == window else 0
            self._purses[key] = _Purse(window, known + nusd)
            if len(self._purses) > KEYS_MAX:
                del self._purses[next(iter(self._purses))]

    def spent(self, of: str, per: str, name: str, wall_s: float) -> int:
        """Nano-dollars in the present window."""
        purse = self._purses.get((of, per, name if of != "everything" else ""))
        return purse.nusd if purse is not None and purse.window == _window(per, wall_s) else 0


def _window(per: str, wall_s: float) -> int:
    length_s = PER_S[per]
    return 0 if length_s is None else int(wall_s // length_s)
