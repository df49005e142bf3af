"""The registries whose entries a configuration names, beside those of the providers."""

from __future__ import annotations

from understudy.core.candidate import Balancer, Strategy
from understudy.core.rules.rule import Condition, Effect
from understudy.registry import Registry

STRATEGIES: Registry[Strategy] = Registry("understudy.core.strategies", "STRATEGY", kind="strategy")
BALANCERS: Registry[Balancer] = Registry("understudy.core.balancers", "BALANCER", kind="balancer")
CONDITIONS: Registry[Condition] = Registry("understudy.core.rules.conditions", "CONDITION", kind="condition")
EFFECTS: Registry[Effect] = Registry("understudy.core.rules.effects", "EFFECT", kind="effect")
