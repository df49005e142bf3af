"""`principals`: who may ask."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from understudy.config.schema.kinds import Section, Word, refused

Say = Literal["complexity", "deadline-ms", "labels", "route", "session", "strategy"]


def _digest(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise refused('must be the SHA-256 of the key in hex, 64 digits: printf %s "$KEY" | sha256sum')
    return text.lower()


class PrincipalSection(Section):
    """Someone who may ask, with a key of their own. Without principals the data plane is open, on loopback only."""

    name: Word = Field(description="Its name in reports.")
    key_sha256: Annotated[str, AfterValidator(_digest)] = Field(description="SHA-256 of its key, in hex.")
    routes: list[Word] | None = Field(default=None, description="What it may ask for, by name; by default everything.")
    may: list[Say] = Field(
        default=["complexity", "deadline-ms", "labels", "route", "session", "strategy"],
        description="Which x-understudy- headers it may send.",
    )
