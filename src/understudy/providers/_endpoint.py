"""Where one target is asked in one wire format: everything about a request but its body and the secret."""

from __future__ import annotations

from typing import ClassVar, Protocol, cast
from urllib.parse import quote

from understudy.core.target import Target
from understudy.core.value import keyword_value
from understudy.dialects import Quirks
from understudy.ports import Header, Origin
from understudy.providers._address import address, path_under, without_end, without_version
from understudy.providers._facts import Auth, Provider, Wire
from understudy.transport.sigv4 import Scope

_KEY_HEADERS = (Auth.X_API_KEY, Auth.API_KEY, Auth.X_GOOG_API_KEY)


class Located(Protocol):
    """A provider that is somewhere else for every customer: its settings say where. They are optional, for a `base_url` says it, too."""

    facts: ClassVar[Provider]

    def where(self) -> str:
        """Where it is by these settings; "" when they do not say."""
        ...

    def path(self, base: str, path: str) -> str:
        """Where a wire format is spoken, under the origin. `base`: the path of the `base_url`. `path`: the wire's."""
        ...

    def known_as(self, model: str) -> str:
        """The name under which the quirks of a model are listed."""
        ...


class Signing(Located, Protocol):
    """One whose requests are signed."""

    def scope(self, host: str) -> Scope:
        """What a signature must be good for. `host`: where requests go."""
        ...


@keyword_value
class Endpoint:
    """Where one target is asked in one wire format.

    `path`, `stream_path`: start with `/`. `headers`: always sent. `pass_on`: exact names of the caller's headers that go along;
    `pass_on_prefixes`: beginnings of such names. `scope`: what its requests are signed for, None where the key itself is shown.
    """

    origin: Origin
    path: str
    stream_path: str
    headers: tuple[Header, ...]
    auth: Auth
    quirks: Quirks
    pass_on: tuple[bytes, ...] = ()
    pass_on_prefixes: tuple[bytes, ...] = ()
    scope: Scope | None = None

    def credential(self, secret: str) -> tuple[Header, ...]:
        """The header that shows the key; none where the provider takes none or the secret is empty."""
        if not secret or self.auth is Auth.NONE:
            return ()
        if self.auth is Auth.BEARER or self.auth is Auth.SIGV4:
            return ((b"authorization", b"Bearer " + secret.encode("ascii")),)
        return ((self.auth.value.encode(), secret.encode("ascii")),)

    def along(self, caller: tuple[Header, ...]) -> tuple[Header, ...]:
        """The fixed headers, and those of the caller's that go along; the caller's own value wins over a fixed one."""
        if not caller:
            return self.headers
        taken = tuple(
            header for header in caller if header[0] in self.pass_on or header[0].startswith(self.pass_on_prefixes)
        )
        if not taken:
            return self.headers
        names = {name for name, _ in taken}
        return (*(header for header in self.headers if header[0] not in names), *taken)


def endpoint_of(target: Target, known: Provider, wire: Wire, located: Located | None) -> Endpoint:
    """Where a target is asked in one of its provider's wire formats. `located`: the provider with this target's settings. Raises `BadAddress`."""
    origin, base = address(target.base_url)
    base = without_end(base, known.also_at)
    if wire.unversioned:
        base = without_version(base)
    whole = path_under if located is None else located.path
    model = target.model if located is None else located.known_as(target.model)
    settings = target.settings or {}
    own = tuple((name.lower().encode(), str(text).encode()) for name, text in settings.get("headers", {}).items())
    return Endpoint(
        origin=origin,
        path=path_for(target, whole(base, wire.path)),
        stream_path=path_for(target, whole(base, wire.stream_path or wire.path)),
        headers=(*wire.headers, *own),
        # whatever a provider's own keys are shown as, an issued token is a bearer token
        auth=Auth.BEARER if target.key_is_issued and wire.auth in _KEY_HEADERS else wire.auth,
        quirks=wire.quirks_for(model),
        pass_on=tuple(name for name in wire.pass_on if not name.endswith(b"*")),
        pass_on_prefixes=tuple(name[:-1] for name in wire.pass_on if name.endswith(b"*")),
        scope=cast("Signing", located).scope(origin.host) if wire.auth is Auth.SIGV4 else None,
    )


def path_for(target: Target, path: str) -> str:
    """A path with the model's name in it, where it has room for one."""
    return path.replace("{model}", quote(target.model, safe="@"))
