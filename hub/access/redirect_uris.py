"""Which redirect URIs an app may register: the place its codes are sent to.

https; http on loopback, for apps on this machine and trials; or, for public clients, a scheme of
the app's own that holds a dot (RFC 8252, 7.1), which no browser runs as a script. What is
registered is later compared character by character (RFC 9700, 4.1.1), so nothing that a browser
or proxy would read in another way than we do is let in. Called by `clients`.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from hub.settings import is_loopback

LONGEST = 1000

_is_plain = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]+").fullmatch
"""RFC 3986 without `#` (fragment) and `*` (which looks like a wildcard)."""

_is_own_scheme = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:/([^/].*)?").fullmatch
_is_host = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]").fullmatch
_has_dots = re.compile(r"/(\.|%2e){1,2}(/|$)", re.IGNORECASE).search
_bad_escape = re.compile(r"%(?![0-9A-Fa-f]{2})|%(00|0a|0d|2f|5c)", re.IGNORECASE).search


def is_web_address(uri: str) -> bool:
    """Whether it is https, or http on loopback, and reads one way only."""
    if len(uri) > LONGEST or not _is_plain(uri) or _bad_escape(uri):
        return False
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    authority = parts.netloc.removesuffix(f":{port}" if port is not None else "")
    if not parts.hostname or not _is_host(authority) or ".." in authority or port == 0:
        return False
    if _has_dots(parts.path):
        return False
    if parts.scheme == "https":
        return uri.startswith("https://")
    return uri.startswith("http://") and is_loopback(parts.hostname)


def may_register(uri: str, public: bool) -> bool:
    """Whether a client may register it as a redirect URI.

    Args:
        uri: The URI.
        public: The client is a public one; only those may use a scheme of their own.
    """
    if is_web_address(uri):
        return True
    if not public or len(uri) > LONGEST or not _is_plain(uri) or _bad_escape(uri):
        return False
    path = uri.partition("?")[0]
    return _is_own_scheme(uri) is not None and "@" not in uri and not _has_dots(path)
