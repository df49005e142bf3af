"""The registries whose entries a configuration names, beside those of the providers."""

from __future__ import annotations

from understudy.core.plan import Balancer, Strategy
from understudy.registry import Registry

STRATEGIES: Registry[Strategy] = Registry("understudy.core.strategies", "STRATEGY", kind="strategy")
BALANCERS: Registry[Balancer] = Registry("understudy.core.balancers", "BALANCER", kind="balancer")
