"""How sources ask: one bounded HTTP request, and JSON that is checked before it is believed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from understudy.core.value import JsonObject
from understudy.credentials import CredentialUnavailable, Grant, Means, Secret
from understudy.ports import Header, HttpAnswer, HttpRequest, Origin, TransportFailure

CONNECT_S = 2.0
ANSWER_S = 8.0
FILE_MAX_BYTES = 256 * 1024
METADATA = "http://169.254.169.254"
"""Where the clouds' metadata servers are: by address, since a name that is not known would be asked for everywhere."""

_PORTS = {"http": 80, "https": 443}
_WORDS_MAX = 200


async def ask(
    means: Means,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
) -> HttpAnswer:
    """One request to `url`. `form`: sent as a form. Raises `CredentialUnavailable` when nothing comes back."""
    if means.http is None:
        raise CredentialUnavailable("its source is on the network, which is not to be asked here")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise CredentialUnavailable(f"{url!r} is no address")
    lines: list[Header] = [(name.lower().encode(), text.encode()) for name, text in (headers or {}).items()]
    if form is not None:
        lines.append((b"content-type", b"application/x-www-form-urlencoded"))
    request = HttpRequest(
        method=method,
        origin=Origin(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]),
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        headers=tuple(lines),
        body=b"" if form is None else urlencode(form).encode(),
    )
    until_s = asyncio.get_running_loop().time() + ANSWER_S
    try:
        return await means.http.send(request, connect_s=CONNECT_S, until_s=until_s)
    except TransportFailure as trouble:
        raise CredentialUnavailable(f"{parts.hostname} cannot be asked: {trouble.message}") from None


def secure(url: str) -> str:
    """The same; raises `CredentialUnavailable` for an address to which a secret would travel in the open."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost" or host.startswith("127.") or host == "::1":
        return url
    raise CredentialUnavailable(f"{url!r} is plain http: the secret would cross the network unencrypted")


def answered(answer: HttpAnswer, who: str) -> JsonObject:
    """The JSON object of a good answer. Raises `CredentialUnavailable`, quoting what the error says of itself."""
    try:
        told = json.loads(answer.body)
    except ValueError:
        told = None
    if answer.status != 200:
        raise CredentialUnavailable(f"{who} answered {answer.status}{_words(told)}")
    if not isinstance(told, dict):
        raise CredentialUnavailable(f"{who} answered something that is no JSON object")
    return told


def _words(told: Any) -> str:
    if not isinstance(told, dict):
        return ""
    words = [
        str(told[name])
        for name in ("error", "error_description", "message", "Message")
        if isinstance(told.get(name), str)
    ]
    return f": {' '.join(' '.join(words).split())[:_WORDS_MAX]}" if words else ""


def token_of(told: JsonObject, who: str) -> Grant:
    """An OAuth answer as a grant. Raises `CredentialUnavailable`."""
    token = told.get("access_token")
    if not isinstance(token, str):
        raise CredentialUnavailable(f"{who} answered without access_token")
    return Grant(secret=Secret(token), good_for_s=number(told.get("expires_in"), "expires_in", who))


def number(found: Any, name: str, who: str) -> float:
    """A count of seconds, also as text. Raises `CredentialUnavailable`."""
    text = str(found) if isinstance(found, (int, float, str)) and not isinstance(found, bool) else ""
    try:
        seconds = float(text)
    except ValueError:
        raise CredentialUnavailable(f"{who} answered without a number in {name}") from None
    if seconds != seconds or seconds in (float("inf"), float("-inf")):  # noqa: PLR0124  NaN is no number
        raise CredentialUnavailable(f"{who} answered without a number in {name}")
    return seconds


def until(found: Any, name: str, who: str, wall_s: float) -> float:
    """Seconds from now until a time as ISO 8601. Raises `CredentialUnavailable`."""
    try:
        ends = datetime.fromisoformat(found)
    except (TypeError, ValueError):
        raise CredentialUnavailable(f"{who} answered without a time in {name}") from None
    if ends.tzinfo is None:
        raise CredentialUnavailable(f"{who} answered a time without its zone in {name}")
    return ends.timestamp() - wall_s


async def file(means: Means, name: str) -> str:
    """The text of a file that the operator named, or a cloud put there. Raises `CredentialUnavailable`."""
    return await asyncio.to_thread(_read, path(means, name))


def path(means: Means, name: str) -> Path:
    """A file's path: `~` is the home folder of the environment that the source sees, anything relative is beside the configuration."""
    if name == "~" or name.startswith("~/"):
        return Path(means.env.get("HOME", "/")) / name[2:]
    return means.folder / name


def _read(where: Path) -> str:
    try:
        with where.open("rb") as opened:
            content = opened.read(FILE_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no such path"
        raise CredentialUnavailable(f"{where}: cannot be read: {why}") from None
    if len(content) > FILE_MAX_BYTES:
        raise CredentialUnavailable(f"{where}: larger than {FILE_MAX_BYTES} bytes, so hardly a credential")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise CredentialUnavailable(f"{where}: is not UTF-8 text") from None
