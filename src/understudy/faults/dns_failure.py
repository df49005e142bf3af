"""The provider's name is not resolved: nobody connects anew, while what is connected goes on.

On the mock's sockets the name has been resolved before anybody comes: there the connection is reset instead.
"""

from __future__ import annotations

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Connect, Plan
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell


@keyword_value
class DnsFailure(Spell):
    """`remembered_s`: how long after `from_s` the last good answer is still used. `takes_s`: until the resolver gives up."""

    remembered_s: float = 0.0
    takes_s: float = 0.0

    def __post_init__(self) -> None:
        Spell.__post_init__(self)
        if min(self.remembered_s, self.takes_s) < 0:
            raise ValueError("`remembered_s` and `takes_s` must not be negative")

    def active(self, scene: Scene) -> bool:
        """Whether the attempt begins when nobody remembers the address any more."""
        return Spell.active(self, scene) and scene.now_s >= self.from_s + self.remembered_s

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """No address, after a while."""
        if not self.strikes(scene, dice):
            return plan
        return plan.slower(connect_s=self.takes_s).cannot_connect(Connect.DNS_FAILED)


FAULT = DnsFailure
