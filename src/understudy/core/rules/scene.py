"""What conditions may look at, for one request: nothing is worked out before somebody asks."""

from __future__ import annotations

from collections.abc import Callable

from understudy.core.catalogue.task import Task
from understudy.core.dice import Dice, label_of
from understudy.core.request import Call
from understudy.core.scoreboard import Scoreboard


class Scene:
    """One request, and the world at that moment.

    `asked`: the route, target or model that the caller named. `wall_s`: Unix time. `now_s`: the scoreboard's time. `seed`: of
    the request's chance. `workers`: how many carry the traffic, this one included. `spent`: (of whom, since when) -> nano-dollars.
    `read_task`: what the request is about, read from its body.
    """

    __slots__ = ("_read_task", "_task", "asked", "board", "call", "now_s", "seed", "spent", "wall_s", "workers")

    def __init__(  # noqa: PLR0913  everything that may be seen
        self,
        call: Call,
        *,
        asked: str,
        board: Scoreboard,
        now_s: float,
        wall_s: float,
        seed: int,
        workers: float,
        spent: Callable[[str, str], int],
        read_task: Callable[[], Task],
    ) -> None:
        self.call = call
        self.asked = asked
        self.board = board
        self.now_s = now_s
        self.wall_s = wall_s
        self.seed = seed
        self.workers = workers
        self.spent = spent
        self._read_task = read_task
        self._task: Task | None = None

    @property
    def task(self) -> Task:
        """What the request is about: read when first asked for."""
        if self._task is None:
            self._task = self._read_task()
        return self._task

    @property
    def known_task(self) -> Task | None:
        """The same if somebody asked for it."""
        return self._task

    def budget_left(self, _budget: str) -> float | None:
        """The share of a budget that is left, 0 to 1; None while nobody keeps it."""
        return None

    def label(self, name: str) -> str | None:
        """One of the caller's own marks."""
        return next((told for key, told in self.call.labels if key == name), None)

    def place(self, of: str, salt: str) -> float:
        """Where something stands among all of its kind, 0 to 1: always in the same place for the same salt.

        `of`: request (a new place each time), session, principal, or `label NAME`. Whoever does not say who it is (no session, no such
        label) gets a new place each time.
        """
        if of == "session":
            key: str | None = self.call.session
        elif of == "principal":
            key = self.call.principal or None
        else:
            key = self.label(of.removeprefix("label ")) if of != "request" else None
        if key is None:
            return Dice(self.seed).fork(label_of(salt)).random()
        return Dice(label_of(f"{salt}\n{key}")).random()
