"""Rules as commands tell them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.config import Configuration


def listed(configuration: Configuration) -> list[dict[str, Any]]:
    """The rules in the order in which they are asked."""
    from understudy.config.rulebook import in_order

    return [
        {
            "name": rule.name,
            "priority": rule.priority,
            "state": "on" if rule.enabled else "off",
            "when": json.dumps(rule.when, ensure_ascii=False),
            "then": json.dumps(rule.then, ensure_ascii=False),
        }
        for rule in in_order(configuration.rules, lambda rule: rule)
    ]
