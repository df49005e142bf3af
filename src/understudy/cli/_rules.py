"""Rules as commands tell them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.config import Configuration


def shown(part: Any) -> str:
    """What stands under `when` or `then`, on one line."""
    return json.dumps(part, ensure_ascii=False)


def listed(configuration: Configuration) -> list[dict[str, Any]]:
    """The rules in the order in which they are asked."""
    from understudy.config.rulebook import in_order

    return [
        {
            "name": rule.name,
            "priority": rule.priority,
            "state": "on" if rule.enabled else "off",
            "when": rule.when,
            "then": rule.then,
        }
        for rule in in_order(configuration.rules, lambda rule: rule)
    ]
