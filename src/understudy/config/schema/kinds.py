"""Kinds of values, as they are written anywhere in a configuration: numbers, durations, names."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from understudy.config.text import Real, finite
from understudy.core.route import Named

DAY_S = 86_400.0


def refused(message: str) -> PydanticCustomError:
    """A problem in our own words. Braces would be read as a template."""
    return PydanticCustomError("understudy", "{message}", {"message": message})


class Section(BaseModel):
    """A mapping with known keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=False)


def _number(given: Any) -> Any:
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        number = float(given)
        if not finite(number):
            raise refused("must be a finite number")
        return number
    return given


def named(given: Any) -> Named:
    """`name`, or `{name: {setting: value}}`."""
    if isinstance(given, str):
        return Named(given, {})
    if isinstance(given, dict) and len(given) == 1:
        [(name, settings)] = given.items()
        if settings is None or isinstance(settings, dict):
            return Named(name, plain(settings or {}))
    raise refused("must be a name, or a name with its settings: {name: {setting: value}}")


def plain(given: Any) -> Any:
    """The same with ordinary floats, for those who take only these."""
    if isinstance(given, dict):
        return {name: plain(value) for name, value in given.items()}
    if isinstance(given, list):
        return [plain(value) for value in given]
    return float(given) if isinstance(given, Real) else given


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")


def name_problem(text: str) -> str | None:
    """What is wrong with the name of a target, route or principal: it travels in headers and in `model`."""
    if _NAME.fullmatch(text):
        return None
    return "a name is 1 to 64 of A-Z a-z 0-9 . _ : - and begins with a letter or digit (a slash parts provider/model)"


NUMBER = BeforeValidator(_number)
Seconds = Annotated[float, Field(gt=0, le=DAY_S), NUMBER]
Wait = Annotated[float, Field(ge=0, le=DAY_S), NUMBER]
Share = Annotated[float, Field(gt=0, le=1), NUMBER]
Positive = Annotated[float, Field(gt=0), NUMBER]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Tokens = Annotated[int, Field(ge=1, le=1_000_000_000)]
Word = Annotated[str, Field(min_length=1, max_length=256)]
Bytes = Annotated[int, Field(ge=1024, le=2**32)]
NamedEntry = Annotated[Named, BeforeValidator(named)]
