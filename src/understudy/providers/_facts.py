"""The facts of a provider: who it is, where it is, which wire formats it speaks, how it takes the key."""

from __future__ import annotations

import re
from enum import StrEnum

from understudy.core.request import Operation
from understudy.core.value import keyword_value
from understudy.dialects import BY_THE_BOOK, Quirks
from understudy.ports import Header
from understudy.providers._address import address

ModelQuirks = tuple[tuple[str, Quirks], ...]
"""Pattern of a model's whole name -> its quirks. The first match counts."""


class Auth(StrEnum):
    """How a provider is shown the key."""

    BEARER = "bearer"  # authorization: Bearer ...
    X_API_KEY = "x-api-key"  # x-api-key: ...
    API_KEY = "api-key"  # api-key: ...
    X_GOOG_API_KEY = "x-goog-api-key"  # x-goog-api-key: ...
    SIGV4 = "sigv4"  # authorization: AWS4-HMAC-SHA256 ... (`transport.sigv4`), or Bearer ... of what is no pair of keys
    NONE = "none"


@keyword_value
class Wire:
    """One wire format at one provider.

    `path`: where it is spoken, under the target's `base_url`; `{model}` in it stands for the target's model, percent-encoded.
    `stream_path`: where streams are asked for, None for the same place. `headers`: always sent. `pass_on`: the caller's headers that
    go along, lower-case; one that ends in `*` stands for all that begin so. `quirks`: where it differs from the book.
    `on_request`: spoken only where a target's `api` picks it, because not every version of the server has it.
    `lacks_in_translation`: features that this format cannot carry for callers of another one. `operation`: what is asked in it.
    `unversioned`: it stands beside the `/v1` that a `base_url` may end in, not under it.
    `models`: pattern of a model's whole name -> the quirks that hold for it instead of `quirks`, the first match; `speaks_for`:
    pattern of the models that are asked in this format.
    """

    dialect: str
    path: str
    stream_path: str | None = None
    auth: Auth = Auth.BEARER
    headers: tuple[Header, ...] = ()
    pass_on: tuple[bytes, ...] = ()
    quirks: Quirks = BY_THE_BOOK
    on_request: bool = False
    lacks_in_translation: tuple[str, ...] = ()
    operation: Operation = Operation.CHAT
    models: ModelQuirks = ()
    speaks_for: str = r".*"
    unversioned: bool = False

    def quirks_for(self, model: str) -> Quirks:
        """Where this model differs from the book."""
        return next((quirks for pattern, quirks in self.models if re.fullmatch(pattern, model)), self.quirks)


@keyword_value
class Provider:
    """The facts of one provider.

    `title`: as it writes itself. `base_url`: where it is unless a target says otherwise, "" when a target must. `wires`: the
    wire formats it speaks, preferred first; none for a provider that answers from memory. `key_env`: the variable its key
    is usually read from, None when it takes none. `key_required`: whether a target without a key makes no sense. `model`:
    what is asked for when only a key is known, "" when a target must say. `local`: runs beside us, so it belongs into the
    local tier. `stand_in`: needs no provider at all, free of the attempt budget, always labelled degraded. `lacks`: features that none of its models has.
    `models_path`: where it lists its models, under the `base_url`'s origin; a target of such a provider needs no `model`.
    `base_url_env`: the variable that says where it is, for those that are somewhere else for everybody. `key`: the reference used where
    nothing else is said, for providers whose tokens come from a source. `own_hosts`: ends of the host names that are its own, beside
    that of `base_url`: the usual key is sent to no other. `hosted`: unless a target gives a `base_url`, we run its server ourselves.
    `also_at`: ends of a `base_url` under which its makers document one of its formats alone; they are left out, for the wires say them.
    `model_prefix`: what its own listings put before the name of a model, left out likewise.
    `lists`: where its models, or the target's own, can be asked for without being charged, as `Wire.path` is written.
    """

    title: str
    base_url: str = ""
    wires: tuple[Wire, ...] = ()
    key_env: str | None = None
    key_required: bool = True
    model: str = ""
    local: bool = False
    stand_in: bool = False
    lacks: tuple[str, ...] = ()
    models_path: str | None = None
    base_url_env: str | None = None
    key: str | None = None
    own_hosts: tuple[str, ...] = ()
    hosted: bool = False
    also_at: tuple[str, ...] = ()
    model_prefix: str = ""
    lists: str | None = None

    def owns(self, base_url: str) -> bool:
        """Whether an address is this provider's own, so that its usual key may be sent there."""
        return base_url == self.base_url or (
            bool(self.own_hosts)
            and base_url.startswith("https://")
            and address(base_url)[0].host.endswith(self.own_hosts)
        )

    def wire(self, dialect: str) -> Wire | None:
        """How this provider speaks a dialect; None when it does not."""
        return next((wire for wire in self.wires if wire.dialect == dialect), None)
