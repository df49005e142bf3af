"""Addresses: a `base_url` taken apart, what stands under it, and what stands for a server that we run ourselves."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from zlib import crc32

from understudy.ports import Origin

_PORTS = {"http": 80, "https": 443}
_VERSION = re.compile(r"/v\d\w*(?=/)")
_VERSION_LAST = re.compile(r"/v\d\w*\Z")
_ASKED_AT = re.compile(
    r"/(?:chat/completions|(?:v\d\w*/)(?:messages|responses|embeddings|chat|embed)|api/chat|converse(?:-stream)?|[^/]+:\w*generateContent)\Z",
    re.IGNORECASE,
)
_NO_LABEL = re.compile(r"[^a-z0-9-]")


class BadAddress(ValueError):
    """A `base_url` that cannot be used. The message says why and what to write."""


def address(base_url: str) -> tuple[Origin, str]:
    """A `base_url` as origin and path, the path without its trailing slash. Raises `BadAddress`."""
    if any(char.isspace() or not char.isprintable() for char in base_url):
        raise BadAddress("it holds white space or control characters; write it on one line")
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError as error:
        raise BadAddress(f"{error}; write it like https://host:port/v1") from None
    if parts.scheme not in _PORTS:
        raise BadAddress("it must start with http:// or https://")
    if not parts.hostname:
        raise BadAddress("it names no host; write it like https://host:port/v1")
    if parts.username is not None or parts.password is not None:
        raise BadAddress("it holds credentials; give them as `key: env:NAME` or `key: file:PATH`")
    if parts.query or parts.fragment:
        raise BadAddress("it holds a query or fragment; leave out everything from `?` or `#` on")
    if asked_at := _ASKED_AT.search(parts.path.rstrip("/")):
        raise BadAddress(f"it ends in {asked_at[0]}, which every request adds by itself; leave that out")
    if port == 0 or not parts.hostname.isascii() or not base_url.isascii():
        raise BadAddress("host, port or path cannot be sent as they are; use ASCII (punycode, percent-encoding)")
    return Origin(parts.scheme, parts.hostname, port or _PORTS[parts.scheme]), parts.path.rstrip("/")


def path_under(base: str, path: str) -> str:
    """A wire format's path under that of a `base_url`."""
    # `https://api.anthropic.com` and `https://api.anthropic.com/v1` mean the same to people; a format knows its own version.
    return (without_version(base) if _VERSION.match(path) else base) + path


def without_version(base: str) -> str:
    """The path of a `base_url` without the `/v1` that it may end in."""
    return _VERSION_LAST.sub("", base)


def without_end(base: str, ends: tuple[str, ...]) -> str:
    """The path of a `base_url` without the first of these ends that it has."""
    return next((base.removesuffix(end) for end in ends if base.endswith(end)), base)


def hosted_address(target: str) -> str:
    """The address that stands for the server that we run for a target: no name server knows it, our own client does."""
    label = _NO_LABEL.sub("-", target.lower())
    if label != target:  # names that differ in case or dots only are different targets
        label += f"-{crc32(target.encode()):08x}"
    return f"http://{label}.hosted.invalid/v1"
