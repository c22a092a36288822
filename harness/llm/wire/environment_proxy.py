"""The proxy that the environment names for an address, as curl and requests understand it."""

from __future__ import annotations

import urllib.request
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from harness.errors import UserError


class EnvironmentProxy(NamedTuple):
    """Where a proxy is, without the name and password that it wants, which are never shown."""

    url: str
    credentials: tuple[str, str] | None = None

    def __repr__(self) -> str:
        return f"EnvironmentProxy({self.url})"


def proxy_for(address: str) -> EnvironmentProxy | None:
    """From ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``, in either case; None where the way is
    direct.

    Raises UserError for a proxy that cannot be used, since going around it would say nothing.
    """
    parts = urlsplit(address)
    if not parts.hostname or urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    found = urllib.request.getproxies()
    proxy = found.get(parts.scheme) or found.get("all")
    if not proxy:
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    place = urlsplit(proxy)
    if place.scheme not in ("http", "https"):
        raise UserError(
            f"the environment's proxy for {parts.hostname} speaks {place.scheme}, which is not supported",
            remedy=f"set {parts.scheme.upper()}_PROXY to an http proxy, or add the host to NO_PROXY",
        )
    bare = place._replace(netloc=place.netloc.rpartition("@")[2]).geturl()
    credentials = (unquote(place.username), unquote(place.password or "")) if place.username else None
    return EnvironmentProxy(bare, credentials)
