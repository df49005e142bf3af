"""`transport` and `server`: how providers are reached, and what the data plane takes in."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from understudy.config.schema.kinds import Bytes, Count, Seconds, Section, Word, refused
from understudy.transport.proxy import Proxy
from understudy.transport.settings import ClientSettings, ServerSettings

_C, _S = ClientSettings(), ServerSettings()


def _proxy(text: str) -> str:
    try:
        Proxy.parse(text)
    except ValueError as error:
        raise refused(str(error)) from None
    return text


class TransportSection(Section):
    """How providers are reached."""

    ca_file: Word | None = Field(default=None, description="Certificates (PEM) trusted beside the system's.")
    cert_file: Word | None = Field(
        default=None, description="Our own certificate (PEM), where a provider asks for one."
    )
    key_file: Word | None = Field(default=None, description="Its private key, unless it stands in cert_file.")
    proxy: Annotated[str, AfterValidator(_proxy)] | None = Field(
        default=None,
        description="An HTTP proxy, http://host:port; by default that of HTTP_PROXY, HTTPS_PROXY and NO_PROXY.",
    )
    no_proxy: list[Word] = Field(
        default=[], description="Hosts, .domains and networks reached without it; loopback always is."
    )
    connections_max: Count = Field(default=_C.connections_max, description="Connections to one provider, per worker.")
    answer_max_bytes: Bytes = Field(default=_C.answer_max_bytes, description="A whole answer, after decompression.")


class ServerSection(Section):
    """What the data plane takes in."""

    connections_max: Count = Field(default=_S.connections_max, description="Clients' connections, per worker.")
    body_max_bytes: Bytes = Field(default=_S.body_max_bytes, description="One request's body.")
    bodies_max_bytes: Bytes = Field(default=_S.bodies_max_bytes, description="All bodies held at once, per worker.")
    idle_s: Seconds = Field(default=_S.idle_s, description="A connection without a request is closed after this.")
