"""The request carries these headers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from understudy.core.rules.extent import Names
from understudy.core.rules.rule import Extents
from understudy.core.rules.scene import Scene

SECRET = ("authorization", "cookie", "proxy-authorization", "x-api-key", "x-goog-api-key")
"""What a rule sees is kept in the Decision and shown: never a credential."""


@dataclass(slots=True)  # names are put into lower case
class Header:
    """The request carries these headers, all of them.

    `wanted`: what each of them must say; `*` stands for any letters, and by itself for "whatever it says". Never one that holds a
    credential.
    """

    wanted: dict[str, str]
    short: ClassVar[tuple[str, str]] = ("wanted", "whole")
    costly: ClassVar[bool] = False
    fixed: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        if not self.wanted:
            raise ValueError("wanted: name at least one header")
        self.wanted = {name.lower(): said for name, said in self.wanted.items()}
        for name in self.wanted:
            if name in SECRET:
                raise ValueError(f"{name}: holds a credential, which no rule may look at; use `principal`")

    def look(self, scene: Scene) -> tuple[str | None, ...]:
        """What they say, in the order of the rule."""
        sent = dict(scene.call.seen)
        return tuple([sent.get(name) for name in self.wanted])

    def holds(self, seen: tuple[str | None, ...]) -> bool:
        """Whether all are there, and say that."""
        return all(
            said is not None and Names((wanted,)).holds(said)
            for said, wanted in zip(seen, self.wanted.values(), strict=True)
        )

    def headers(self) -> tuple[str, ...]:
        """Which ones the gateway must bring along."""
        return tuple(self.wanted)

    def extents(self) -> Extents:
        """Words, header by header."""
        return tuple((f"header {name}", Names((wanted,))) for name, wanted in sorted(self.wanted.items()))


CONDITION = Header
