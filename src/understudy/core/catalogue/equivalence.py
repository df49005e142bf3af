"""Which models are the same wherever they run: the names that providers give them, brought to one form.

An equal name is a promise that an answer could as well have come from the other place. So only what says nothing of the model is
taken off a name (region, maker, endpoint, free of charge), and a date only where no second dated version is known: of
`gpt-4o-2024-08-06` and `gpt-4o-2024-11-20` each stays itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_REGION = re.compile(r"(?:apac|au|ca|eu|global|jp|sa|us|us-gov)\.(?=[a-z0-9]+\.)")
_MAKER = re.compile(
    r"(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai|qwen|writer|xai|zai)\."
)
"""Bedrock's way: the maker and a dot. Others part it with a slash."""

_REVISION = re.compile(r"(?:-v\d+:\d+|-\d+:\d+|(?<=\d)-v1)")
"""Bedrock's own, of how it serves a model; the v3 of `embed-english-v3` is the model's."""

_TAIL = re.compile(r"(?:@default|-maas|:free|:latest)")
_DATE = re.compile(r"[-@](20\d\d-\d\d-\d\d|20\d{6})")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[.p_](?=\d)")
_MOVING = re.compile(r"(?:^|[-/:])(?:auto|default|latest)$")


def plain(model: str) -> str:
    """A model's own name without where it runs, lower-case: `us.anthropic.claude-opus-4-6-v1` is `claude-opus-4-6`."""
    name = model.lower().rsplit("/", 1)[-1].lstrip("~")
    name = _off_end(_TAIL, name)
    name = _off_start(_REGION, name)
    without_maker = _off_start(_MAKER, name)
    if without_maker != name:
        name = _off_end(_REVISION, without_maker)
    return _DATE.sub(r"-\1", name)


def comparable(model: str) -> str:
    """The form in which two names are compared: `claude-sonnet-4.5` is `claude-sonnet-4-5`, `glm-5p1` is `glm-5.1`."""
    name = _DATE.sub(lambda found: "-" + found[1].replace("-", ""), plain(model))
    return _BETWEEN_DIGITS.sub("-", name)


def undated(name: str) -> tuple[str, str]:
    """A name in two: without its date, and the date as eight digits; "" where it has none at its end."""
    found = re.fullmatch(rf"(.+?){_DATE.pattern}", name)
    return (found[1], found[2].replace("-", "")) if found else (name, "")


def says_which(name: str) -> bool:
    """Whether a name stands for one model: `auto` and `mistral-large-latest` mean another one tomorrow, `small` anybody's."""
    return any(character.isdigit() for character in name) and _MOVING.search(name) is None


def one_name_each(names: Iterable[str]) -> dict[str, str]:
    """Plain names -> the name that stands for each one's model.

    A dated name stands for the same as its undated one where both are known and no other date is.
    """
    known = sorted({*names})
    dates: dict[str, list[str]] = {}
    for name in known:
        stem, date = undated(name)
        if date:
            dates.setdefault(stem, []).append(date)
    kept = {*known}
    made: dict[str, str] = {}
    for name in known:
        stem, date = undated(name)
        made[name] = stem if date and stem in kept and len(dates[stem]) == 1 else name
    return made


def _off_start(pattern: re.Pattern[str], name: str) -> str:
    found = pattern.match(name)
    return name[found.end() :] if found else name


def _off_end(pattern: re.Pattern[str], name: str) -> str:
    found = re.search(rf"{pattern.pattern}$", name)
    return name[: found.start()] if found else name
