"""Which proxy, if any, stands between us and an origin."""

from __future__ import annotations

import ipaddress
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from understudy.core.value import value
from understudy.ports import Origin


@value
class Proxy:
    """An HTTP proxy. `authorization`: the value of `proxy-authorization`, or None."""

    host: str
    port: int
    authorization: bytes | None = None

    @staticmethod
    def parse(url: str) -> Proxy:
        """From `http://[user:password@]host[:port]`; the scheme may be left out.

        Raises `ValueError` for anything else, without repeating the password.
        """
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"a proxy is given as http://host:port, not as {parts.scheme}://{parts.hostname or ''}")
        authorization = None
        if parts.username is not None:
            credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = b"Basic " + b64encode(credentials.encode())
        return Proxy(parts.hostname, parts.port or 80, authorization)


@value
class Proxies:
    """The proxy per scheme, and the hosts that are reached without one.

    `direct`: entries as in NO_PROXY: a host (with its subdomains), `.domain` (subdomains only), `host:port`, an address,
    a network (`10.0.0.0/8`) or `*`. Loopback addresses, `localhost` and link-local addresses (the clouds' metadata servers) are
    always reached directly.
    """

    http: Proxy | None = None
    https: Proxy | None = None
    direct: tuple[str, ...] = ()

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> Proxies:
        """From HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY; a lower-case name outranks its upper-case one.

        Raises `ValueError` naming the variable when one is no proxy.
        """
        everything = _read(environment, "all_proxy")
        in_cgi = "REQUEST_METHOD" in environment  # there HTTP_PROXY is set by a visitor's `Proxy:` header
        return Proxies(
            http=_read({k: v for k, v in environment.items() if not (in_cgi and k == "HTTP_PROXY")}, "http_proxy")
            or everything,
            https=_read(environment, "https_proxy") or everything,
            direct=tuple(
                entry.strip().lower() for entry in _variable(environment, "no_proxy").split(",") if entry.strip()
            ),
        )

    def toward(self, origin: Origin) -> Proxy | None:
        """The proxy that requests to this origin go through."""
        proxy = self.https if origin.scheme == "https" else self.http
        if proxy is None or _is_direct(origin, self.direct):
            return None
        return proxy


def _variable(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.upper()) or ""


def _read(environment: Mapping[str, str], name: str) -> Proxy | None:
    url = _variable(environment, name)
    if not url:
        return None
    try:
        return Proxy.parse(url)
    except ValueError as error:
        raise ValueError(f"{name.upper()}: {error}") from None


def _is_direct(origin: Origin, entries: tuple[str, ...]) -> bool:
    host = origin.host.lower().rstrip(".")
    address = _address(host)
    if host == "localhost" or (address is not None and (address.is_loopback or address.is_link_local)):
        return True
    return any(_matches(entry, host, address, origin.port) for entry in entries)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _matches(entry: str, host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None, port: int) -> bool:
    if entry == "*":
        return True
    name, colon, entry_port = entry.rpartition(":")
    if colon and entry_port.isdigit() and (":" not in name or name.endswith("]")):
        if int(entry_port) != port:
            return False
        entry = name.strip("[]")
    if address is not None:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    if entry.startswith("*."):
        entry = entry[1:]
    return host.endswith(entry) if entry.startswith(".") else host == entry or host.endswith("." + entry)
