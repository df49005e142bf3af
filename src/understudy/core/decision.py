"""The record of a request's choices: enough to explain each one, and to make it again bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from understudy.core.candidate import Entry, Exclusion, Tried
from understudy.core.plan import TierPlan
from understudy.core.request import Needs
from understudy.core.rules.ruling import Ruling
from understudy.core.sessions import Warm
from understudy.core.standing import Standing
from understudy.core.value import value

if TYPE_CHECKING:
    from understudy.core.explanation.told import Explanation


@value
class Choice:
    """One act of choosing within one tier, kept as it was made: references, put into words only when somebody reads it.

    `entries`: the eligible targets, best first; `scores`: theirs, in the same order, lower is better. `excluded`: everyone
    else. `standings`: those of the tier's entries, in the tier's order. With the rest, and the decision's seed, they are all
    that it depended on. Ten thousand requests are kept: so tuples, and nothing that can be worked out again.
    """

    tier: TierPlan
    now_s: float
    turn: int
    entries: tuple[Entry, ...]
    scores: tuple[float, ...]
    excluded: tuple[Exclusion, ...]
    standings: tuple[Standing, ...]
    tried: dict[int, Tried]
    repeat: bool
    larger_than: int | None
    warm: Warm | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """The eligible targets' names, best first."""
        return tuple(entry.target.name for entry in self.entries)


class Decision:
    """All choices of one request, in order. Grows while the request walks; nobody changes what is written.

    `number`: of the request, in this process. `id`: what `x-understudy-decision` says, the number in hexadecimal at its end. `version`: the
    configuration's. `seed`: where its chance comes from. `session`, `principal`, `budget_left`: see `Ask`. `ruling`: what the rules said of
    it, None without any. `strategy`: the one that its caller asked for.
    """

    __slots__ = (
        "budget_left",
        "choices",
        "dialect",
        "id",
        "needs",
        "number",
        "principal",
        "route",
        "ruling",
        "seed",
        "session",
        "started_s",
        "strategy",
        "version",
    )

    def __init__(  # noqa: PLR0913, PLR0917  what it is about, said once per request: names would cost time
        self,
        number: int,
        id_: str,
        route: str,
        version: str,
        needs: Needs,
        dialect: str,
        seed: int,
        started_s: float,
        session: str = "",
        principal: str = "",
        budget_left: float | None = None,
    ) -> None:
        self.number = number
        self.id = id_
        self.route = route
        self.version = version
        self.needs = needs
        self.dialect = dialect
        self.seed = seed
        self.started_s = started_s
        self.session = session
        self.principal = principal
        self.budget_left = budget_left
        self.choices: tuple[Choice, ...] = ()
        self.ruling: Ruling | None = None
        self.strategy: str | None = None

    def explain(self, *, flips: bool = True) -> Explanation:
        """Why it chose as it did: scores by part, who was left out, how sure it is, and what would have changed it.

        Worked out now, from what was kept; `str()` of it is for reading, `page()` for JSON. `flips`: search for what would have put
        somebody else first, some milliseconds for a dozen targets. Safe on any thread once the request is over.
        """
        from understudy.core.explanation.explain import explain  # few decisions are ever read

        return explain(self, flips=flips)
