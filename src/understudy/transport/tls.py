"""TLS towards providers: verified, HTTP/1.1 only, with the system's authorities and those of the settings."""

from __future__ import annotations

import ssl

from understudy.core.value import keyword_value


@keyword_value
class Tls:
    """How to speak TLS with an origin.

    `ca_file`: further authorities (PEM) beside the system's. `cert_file`, `key_file`: our own certificate, for servers
    that ask for one; the key may be in the same file. `verify`: False accepts any certificate and is for tests of one's
    own servers only.
    """

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    verify: bool = True


def client_context(tls: Tls) -> ssl.SSLContext:
    """The context for connections under these settings.

    Raises `OSError` or `ssl.SSLError` naming the file when one cannot be read: a mistake in the configuration, found at
    its load, not at the first request.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if tls.ca_file is not None:
        context.load_verify_locations(cafile=tls.ca_file)
    if tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def server_context(cert_file: str, key_file: str | None = None) -> ssl.SSLContext:
    """The context for a door of our own that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(cert_file, key_file)
    return context
