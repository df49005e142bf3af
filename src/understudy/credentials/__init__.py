"""Credentials that are handed out for a while: who gives them, and how a configuration names them.

A registry folder: one file is one source (`gcp`, `entra`, `aws`), its fields are its settings. A target names it as `key: gcp`, with
its first setting behind a colon (`key: aws:production`), or with several: `key: {entra: {tenant: ..., client: ...}}`. Keys that are
kept in a variable or a file (`env:`, `file:`) need nothing of this.

`_desk` keeps what the sources gave, renews it ahead of its end, and never lets a request wait long.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, Protocol

from understudy.core.value import JsonObject, keyword_value
from understudy.ports import HttpClient
from understudy.registry import BadSettings, Registry


class CredentialUnavailable(Exception):
    """The credential cannot be had now. The message names the reference and says why, never the secret."""


class Secret:
    """A credential. Whatever prints, logs, formats or pickles it gets a mask; only `reveal` gives the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, for the one place that sends it."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled: send its reference")


@keyword_value
class Grant:
    """What a source gave.

    `secret`: the token, or the secret access key of AWS, for which `access_key` and `session_token` are given, too. `good_for_s`: from
    now on, None for always.
    """

    secret: Secret
    good_for_s: float | None = None
    access_key: str = ""
    session_token: Secret | None = None


@keyword_value
class Means:
    """What a source may use. `folder`: where relative paths begin. `http`: None where the network is not to be used. `wall_s`: Unix time."""

    env: Mapping[str, str]
    folder: Path
    http: HttpClient | None
    wall_s: Callable[[], float]


class Source(Protocol):
    """Someone who hands out a credential."""

    async def grant(self, means: Means) -> Grant:
        """A fresh one. Raises `CredentialUnavailable`. Whoever asks bounds the time."""
        ...


SOURCES: Registry[Source] = Registry("understudy.credentials", "SOURCE", kind="credential source")


def is_issued(reference: str) -> bool:
    """Whether a reference begins with the name of a source."""
    return reference.partition(":")[0] in SOURCES


def written(kind: str, settings: Mapping[str, Any]) -> str:
    """A source and its settings as one reference. Raises `UnknownName`, `BadSettings`."""
    SOURCES.build(kind, settings)
    return f"{kind}:{json.dumps(dict(sorted(settings.items())), separators=(',', ':'))}" if settings else kind


def source(reference: str) -> Source:
    """The source that a reference names. Raises `UnknownName`, `BadSettings`."""
    kind, _, given = reference.partition(":")
    return SOURCES.build(kind, _settings(kind, given))


def _settings(kind: str, given: str) -> JsonObject:
    """What stands behind the colon: settings as JSON, or the first setting by itself."""
    if not given:
        return {}
    if given.startswith("{"):
        try:
            settings = json.loads(given)
        except ValueError:
            raise BadSettings(f"credential source {kind}: what follows is no JSON object") from None
        return dict(settings)
    entry: Any = SOURCES.entry(kind)
    return {dataclasses.fields(entry)[0].name: given}
