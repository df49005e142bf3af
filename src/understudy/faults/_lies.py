"""What lies make of good JSON: the same for the mock's sockets and for the simulation's client."""

from __future__ import annotations

import json
from typing import Any

WORDS = frozenset({"content", "delta", "text", "thinking", "embedding"})
"""Fields that hold what is said, in every wire format here."""

COUNTS = frozenset({"usage", "usageMetadata", "meta"})
"""Fields that hold figures of usage."""

ABSURD = (-7, 10**18)


def mistyped(body: bytes) -> bytes:
    """Numbers where words belong."""
    return _dump(_mistyped(json.loads(body)))


def miscounted(body: bytes) -> bytes:
    """Figures of usage that cannot be: below nothing, and more than the world has written."""
    return _dump(_miscounted(json.loads(body), inside=False))


def _mistyped(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            name: 7 if name in WORDS and isinstance(child, str) else _mistyped(child) for name, child in node.items()
        }
    return [_mistyped(child) for child in node] if isinstance(node, list) else node


def _miscounted(node: Any, *, inside: bool) -> Any:
    if isinstance(node, dict):
        return {name: _miscounted(child, inside=inside or name in COUNTS) for name, child in node.items()}
    if isinstance(node, list):
        return [_miscounted(child, inside=inside) for child in node]
    if inside and isinstance(node, int) and not isinstance(node, bool):
        return ABSURD[node % 2]
    return node


def _dump(read: Any) -> bytes:
    return json.dumps(read, ensure_ascii=False, separators=(",", ":")).encode()
