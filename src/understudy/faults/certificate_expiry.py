"""The provider's certificate has expired: from one second to the next no handshake succeeds, while connections that stand go on."""

from __future__ import annotations

from understudy.core.dice import Dice
from understudy.core.value import keyword_value
from understudy.faults._plan import Connect, Plan
from understudy.faults._scene import Scene
from understudy.faults._spell import Spell


@keyword_value
class CertificateExpiry(Spell):
    """`from_s`: when it expires. `to_s`: when it is renewed. `share`: of the provider's machines that show the old one.

    A mock that speaks TLS shows an expired certificate in the handshake; in virtual time every attempt connects anew.
    """

    def shape(self, plan: Plan, scene: Scene, dice: Dice) -> Plan:
        """No handshake with those that show it."""
        return plan.cannot_connect(Connect.TLS_FAILED) if self.strikes(scene, dice) else plan


FAULT = CertificateExpiry
