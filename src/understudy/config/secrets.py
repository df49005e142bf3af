"""Credentials: named in a configuration by reference (`env:NAME`, `file:PATH`, `gcp`), read when needed, never printed."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from understudy.credentials import SOURCES, CredentialUnavailable, Grant, Means, Secret, is_issued, source
from understudy.credentials._desk import WAIT_S, Desk
from understudy.ports import HttpClient
from understudy.registry import BadSettings

__all__ = ["CredentialUnavailable", "Secret", "Vault", "beside", "from_environment", "reference_problem"]

FRESH_S = 2.0
FILE_MAX_BYTES = 64 * 1024

_REFERENCE = re.compile(r"(?P<kind>env|file):(?P<name>.+)", re.DOTALL)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LATER = re.compile(r"(vault):")


def reference_problem(text: str) -> str | None:
    """What is wrong with a reference as it is written, or None. Never repeats the text: it may be the key itself."""
    if is_issued(text):
        try:
            source(text)
        except BadSettings as error:
            return str(error)
        return None
    found = _REFERENCE.fullmatch(text)
    if found is None:
        if later := _LATER.match(text):
            return f"`{later[1]}:` references are not available yet; use env:NAME, file:PATH or {' or '.join(SOURCES)}"
        return (
            "this looks like a key itself, and keys do not belong into a configuration; "
            "put it into an environment variable or a file, and write env:NAME or file:PATH here"
        )
    if found["kind"] == "env" and not _VARIABLE.fullmatch(found["name"]):
        return "env: is followed by the name of an environment variable, as in env:OPENAI_API_KEY"
    if found["kind"] == "file" and ("\0" in found["name"] or not found["name"].strip()):
        return "file: is followed by a path, as in file:/run/secrets/openai"
    return None


class Vault:
    """Reads credentials by reference.

    A variable is read each time. A file is read once, looked at again in the background when its content is older than
    `FRESH_S`, and re-read when it changed; while a later reading fails, the earlier content stays in use. Readers of the
    same file wait for one reading, and nobody waits for a renewed one. What a source hands out is kept at a desk of its own.

    `http`: how sources ask; without it those that have to are unavailable. `wall_s`: Unix time.
    """

    def __init__(
        self,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
        http: HttpClient | None = None,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._env = os.environ if env is None else env
        self._folder = folder or Path()
        self._desk = Desk(Means(env=self._env, folder=self._folder, http=http, wall_s=wall_s))
        self._files: dict[str, _Kept] = {}
        self._reading: dict[str, asyncio.Task[Secret]] = {}

    async def read(self, reference: str) -> Secret:
        """The secret behind a reference. Raises `CredentialUnavailable`."""
        if reference.startswith("env:"):
            return from_environment(reference, self._env)
        if not reference.startswith("file:"):
            return (await self._desk.read(reference)).secret
        kept = self._files.get(reference)
        if kept is None:
            return await self._first(reference)
        if asyncio.get_running_loop().time() >= kept.look_again_s:
            _ = self._single(reference)
        return kept.secret

    async def _first(self, reference: str) -> Secret:
        """A file that nobody has read yet. Raises `CredentialUnavailable`, after `WAIT_S` at the latest: it may be a pipe, or far away."""
        reading = self._single(reference)
        await asyncio.wait((reading,), timeout=WAIT_S)  # not cancelled with the request: whoever comes next profits
        if not reading.done():
            raise CredentialUnavailable(f"{reference}: not read within {WAIT_S:g} s; the file system does not answer")
        return reading.result()

    async def grant(self, reference: str) -> Grant:
        """What a source hands out, whole: AWS needs more than one secret. Raises `CredentialUnavailable`."""
        return await self._desk.read(reference)

    def warm(self, reference: str) -> None:
        """Begin to fetch what a source hands out; nobody waits for it."""
        if is_issued(reference):
            self._desk.warm(reference)

    def doubt(self, reference: str) -> None:
        """A provider refused it: what a source handed out is renewed early."""
        self._desk.doubt(reference)

    def look(self, reference: str) -> Secret:
        """What a variable or file holds, at once and without memory, for checks outside the loop. Raises `CredentialUnavailable`."""
        if reference.startswith("env:"):
            return from_environment(reference, self._env)
        return _from_file(reference, self._path(reference))

    def _path(self, reference: str) -> Path:
        return beside(self._folder, reference.removeprefix("file:"))

    def _single(self, reference: str) -> asyncio.Task[Secret]:
        task = self._reading.get(reference)
        if task is None:
            task = self._reading[reference] = asyncio.create_task(self._renew(reference))
            # A failed background reading is no news to anybody; the next reader of an unread file gets its own.
            task.add_done_callback(lambda done: self._done(reference, done))
        return task

    def _done(self, reference: str, task: asyncio.Task[Secret]) -> None:
        del self._reading[reference]
        if not task.cancelled():
            task.exception()

    async def _renew(self, reference: str) -> Secret:
        kept = self._files.get(reference)
        path = self._path(reference)
        loop = asyncio.get_running_loop()
        try:
            mark = await asyncio.to_thread(_mark, path)
            if kept is None or mark is None or mark != kept.mark:
                secret = await asyncio.to_thread(_from_file, reference, path)
            else:
                secret = kept.secret
        except CredentialUnavailable:
            if kept is not None:
                kept.look_again_s = loop.time() + FRESH_S
            raise
        self._files[reference] = _Kept(secret, mark, loop.time() + FRESH_S)
        return secret


class _Kept:
    """A file's content, what the file looked like, and when to look again (loop time)."""

    __slots__ = ("look_again_s", "mark", "secret")

    def __init__(self, secret: Secret, mark: tuple[int, int, int] | None, look_again_s: float) -> None:
        self.secret = secret
        self.mark = mark
        self.look_again_s = look_again_s


def beside(folder: Path, name: str) -> Path:
    """A file as a configuration names it: `~` is the home folder, anything relative stands in the configuration's folder."""
    try:
        return folder / Path(name).expanduser()
    except RuntimeError:  # `~somebody` without such a user
        return folder / name


def from_environment(reference: str, env: Mapping[str, str]) -> Secret:
    """The secret in a variable. Raises `CredentialUnavailable`."""
    name = reference.removeprefix("env:")
    text = env.get(name, "").strip()
    if not text:
        raise CredentialUnavailable(f"{reference}: the environment variable {name} is not set or empty")
    return _checked(reference, text)


def _mark(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file does; None when it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _from_file(reference: str, path: Path) -> Secret:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "no such path"
        raise CredentialUnavailable(f"{reference}: cannot be read: {why}") from None
    if len(content) > FILE_MAX_BYTES:
        raise CredentialUnavailable(f"{reference}: larger than {FILE_MAX_BYTES} bytes, so hardly a key")
    text = content.decode("ascii", "replace").strip()
    if not text:
        raise CredentialUnavailable(f"{reference}: the file is empty")
    return _checked(reference, text)


def _checked(reference: str, text: str) -> Secret:
    """A header carries the secret: what cannot stand in one is refused here, where the reference can be named."""
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise CredentialUnavailable(
            f"{reference}: holds characters that no key has (white space, line breaks, non-ASCII)"
        )
    return Secret(text)
