"""Who may call by which address: Host, Origin, CORS, and the base that links are made from.

While authentication is off, any page in a browser on this machine could reach the hub; a Host
header that is not ours (DNS rebinding) and a writing request from a foreign page (CSRF) are
refused. Called by `hub.rest.dispatcher` and the pages beside it.
Spec: https://hl7.org/fhir/R4/security.html#cors, Fetch standard (CORS protocol).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from hub.errors import BadRequest, Forbidden, fault
from hub.rest.exchange import Header, Scope
from hub.settings import Settings, is_loopback

_AUTHORITY = re.compile(r"(?:[A-Za-z0-9.\-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_PORT = re.compile(r":\d+$")
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
_EXPOSED = (
    b"access-control-expose-headers",
    b"Content-Location, ETag, Last-Modified, Location, Preference-Applied, WWW-Authenticate, "
    b"X-Request-Id",
)
_METHODS = (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE")
_ALLOWED_HEADERS = (
    b"access-control-allow-headers",
    b"Accept, Accept-Language, Authorization, Content-Type, If-Match, If-Modified-Since, "
    b"If-None-Exist, If-None-Match, Prefer, Range, X-Request-Id, X-Security-Context",
)
_MAX_AGE = (b"access-control-max-age", b"600")

_LONGEST_HOPS = 1024
_FORWARDING = frozenset((b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip"))


class Edge:
    """The rules of one hub about addresses and origins."""

    def __init__(self, settings: Settings) -> None:
        """Read the settings once.

        Args:
            settings: `public_url`, `hosts`, `cors`, `trusted_proxies`, `auth`.
        """
        self._base = settings.base
        self._proxies = tuple(
            ipaddress.ip_network(text, strict=False) for text in settings.trusted_proxies
        )
        self._forwarded_base = bool(self._proxies) and not settings.public_url
        name = urlsplit(settings.public_url).hostname or ""
        self._hidden = bool(name) and not is_loopback(name) and not self._proxies
        self._check_hosts = settings.auth == "off"
        self._host_problem = lru_cache(64)(self._problem_of)
        names = {"localhost", settings.host, *settings.hosts}
        if settings.public_url:
            names.add(urlsplit(settings.public_url).hostname or "")
        self._hosts = frozenset(name.lower().strip("[]") for name in names)
        self._cors = frozenset(origin.rstrip("/").encode() for origin in settings.origins)
        self._any_origin = b"*" in self._cors

    # --- address ----------------------------------------------------------------------------

    def base(self, scope: Scope, headers: Mapping[bytes, bytes]) -> str:
        """The FHIR base for links in this answer, without a trailing slash.

        Raises:
            BadRequest: A trusted proxy's X-Forwarded-Host is no host.
        """
        if not self._forwarded_base or b"x-forwarded-host" not in headers:
            return self._base
        client = scope.get("client")
        if not client or not self._trusted(client[0]):
            return self._base
        host = headers[b"x-forwarded-host"].decode("latin-1").partition(",")[0].strip()
        if not _AUTHORITY.fullmatch(host):
            raise BadRequest(fault("value", "host-invalid"))
        proto = headers.get(b"x-forwarded-proto", b"http").decode("latin-1").strip().lower()
        return f"{'https' if proto == 'https' else 'http'}://{host}/fhir"

    def address(self, scope: Scope, headers: Mapping[bytes, bytes]) -> str:
        """The network address that a request comes from, "" if unknown.

        What X-Forwarded-For says counts only as far as trusted proxies wrote it.
        """
        client = scope.get("client")
        if not client:
            return ""
        address: str = client[0]
        if not self._proxies or b"x-forwarded-for" not in headers:
            return address
        hops = headers[b"x-forwarded-for"][-_LONGEST_HOPS:].decode("latin-1").split(",")
        while hops and self._trusted(address):
            before = hops.pop().strip()
            if not _is_address(before):
                break
            address = before
        return address

    def is_local(self, scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
        """Whether a request comes from this machine, and not by way of a proxy on it.

        A hub whose public address is another than this machine's has a proxy in front; without
        `trusted_proxies` nobody knows for whom that asks. A page in a browser on this machine
        that has made its own name point here (DNS rebinding) is told by its Host.
        """
        if self._hidden or not is_loopback(self.address(scope, headers)):
            return False
        if not self._is_own_host(headers.get(b"host", b"localhost")):
            return False
        return bool(self._proxies) or _FORWARDING.isdisjoint(headers)

    def _is_own_host(self, host: bytes) -> bool:
        name = _PORT.sub("", host.decode("latin-1").lower()).strip("[]")
        return name in self._hosts or is_loopback(name)

    def _trusted(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._proxies)

    def check_host(self, headers: Mapping[bytes, bytes]) -> None:
        """Refuse a Host that is not ours, while authentication is off.

        Raises:
            BadRequest: It is none of ours, or malformed.
        """
        host = headers.get(b"host")
        if host is None:  # HTTP/1.0; no browser leaves it out.
            return
        problem = self._host_problem(host)
        if problem:
            raise BadRequest(fault("security", problem))

    def _problem_of(self, host: bytes) -> str:
        """Message id of what is wrong with a Host header, "" if nothing."""
        text = host.decode("latin-1").lower()
        if not _AUTHORITY.fullmatch(text):
            return "host-invalid"
        if not self._check_hosts or self._is_own_host(host):
            return ""
        return "host-unknown"

    # --- origin -----------------------------------------------------------------------------

    def _is_own(self, origin: bytes, headers: Mapping[bytes, bytes]) -> bool:
        authority = origin.partition(b"://")[2]
        return bool(authority) and authority in (
            headers.get(b"host"),
            urlsplit(self._base).netloc.encode(),
        )

    def check_origin(self, method: str, headers: Mapping[bytes, bytes]) -> None:
        """Refuse a writing request that a foreign page makes.

        Raises:
            Forbidden: Origin is neither ours nor among those that CORS allows.
        """
        origin = headers.get(b"origin")
        if origin is None or method in _SAFE or self._any_origin or origin in self._cors:
            return
        if not self._is_own(origin, headers):
            raise Forbidden(fault("security", "origin-forbidden"))

    def headers(self, headers: Mapping[bytes, bytes]) -> tuple[Header, ...]:
        """CORS headers of an answer; empty when the origin gets none."""
        if not self._cors:
            return ()
        origin = headers.get(b"origin")
        if origin is None:
            return ()
        if self._any_origin:
            return ((b"access-control-allow-origin", b"*"), _EXPOSED)
        if origin in self._cors:
            return ((b"access-control-allow-origin", origin), _EXPOSED)
        return ()

    def preflight(self, headers: Mapping[bytes, bytes]) -> tuple[Header, ...]:
        """Headers that answer a preflight beside `headers`; empty when it is none or refused."""
        if b"access-control-request-method" not in headers or not self.headers(headers):
            return ()
        return (_METHODS, _ALLOWED_HEADERS, _MAX_AGE)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
