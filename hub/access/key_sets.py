"""Public keys of clients: checked at registration, fetched from their `jwks_uri`.

Fetching what somebody registered could be turned against machines that only the hub reaches
(SSRF). So: https only, no redirects, every address that the name has must be a public one, the
connection goes to the address that was checked (no second look-up), little is read, and not for
long. Called by `clients`.
Spec: RFC 7517; SMART App Launch 2.2, asymmetric client authentication (RS384, ES384).
"""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any
from urllib.parse import urlsplit

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

MOST_KEYS = 10
LARGEST = 64 * 1024
"""Bytes of a key set."""

SECONDS = 5.0
KEPT = 600.0
"""Seconds a fetched set is kept."""

AGAIN = 60.0
"""Seconds before a set is fetched again for a key that was not in it."""

THREADS = 2
"""Sets fetched at a time: whose machine answers slowly keeps no other work of the hub waiting."""

MOST_KEPT = 1000
SHORTEST_MODULUS = 342
"""Characters of 2048 bits in base64url."""

CURVES = ("P-256", "P-384", "P-521")
_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class KeysUnusable(ValueError):
    """A key set is none, or cannot be had; the text says why, without its content."""


def read_key_set(data: bytes | str) -> KeySet:
    """A set of public keys.

    Raises:
        KeysUnusable: It is none, holds secrets, or keys that are too weak.
    """
    if len(data) > LARGEST:
        raise KeysUnusable("the key set is too large")
    try:
        found = msgspec.json.decode(data, type=dict[str, Any])
        keys = found.get("keys")
        if not isinstance(keys, list) or not 0 < len(keys) <= MOST_KEYS:
            raise KeysUnusable(f"a key set has 1 to {MOST_KEYS} keys")
        for key in keys:
            _check(key)
        if len({key["kid"] for key in keys}) < len(keys):
            raise KeysUnusable("two keys have the same kid")
        made = KeySet.import_key_set({"keys": keys})
        for one in made.keys:
            if isinstance(one, RSAKey | ECKey):
                _ = one.public_key  # raises when the numbers make no key
    except KeysUnusable:
        raise
    except (msgspec.DecodeError, JoseError, ValueError, TypeError, RecursionError) as error:
        raise KeysUnusable(f"no key set: {type(error).__name__}") from error
    return made


def _check(key: object) -> None:
    if not isinstance(key, dict) or not isinstance(key.get("kid"), str) or not key["kid"]:
        raise KeysUnusable("every key needs a kid")
    if any(name in key for name in _PRIVATE):
        raise KeysUnusable("a private or symmetric key was sent; make a new pair")
    if key.get("kty") == "EC" and key.get("crv") in CURVES:
        return
    if key.get("kty") != "RSA":
        raise KeysUnusable("keys are RSA or EC (P-256, P-384, P-521)")
    modulus = key.get("n")
    if not isinstance(modulus, str) or len(modulus) < SHORTEST_MODULUS:
        raise KeysUnusable("an RSA key has less than 2048 bits")


def is_public_address(address: Address) -> bool:
    """Whether an address is out on the internet, not in here."""
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if mapped is not None:
        return is_public_address(mapped)
    return address.is_global and not address.is_multicast and not address.is_reserved


def fetch(
    uri: str,
    permitted: Callable[[Address], bool] = is_public_address,
    context: ssl.SSLContext | None = None,
) -> bytes:
    """A key set's bytes; blocks, for `SECONDS` at most (and as long as the look-up takes).

    Args:
        uri: Its https address.
        permitted: Which addresses may be connected to.
        context: TLS settings; the system's when None.

    Raises:
        KeysUnusable: It cannot be had.
    """
    parts = urlsplit(uri)
    if parts.scheme != "https" or not parts.hostname:
        raise KeysUnusable("a jwks_uri is https")
    port = parts.port or 443
    deadline = time.monotonic() + SECONDS
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        if not addresses or not all(map(permitted, addresses)):
            raise KeysUnusable("the jwks_uri is an internal address")
        plain = socket.create_connection((str(addresses[0]), port), timeout=SECONDS)
        # A timeout of the socket counts from the last byte; whoever sends one now and then is cut.
        with closing(plain), closing(plain.dup()) as rope:
            timer = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, (rope,))
            timer.daemon = True
            timer.start()
            try:
                made = context or ssl.create_default_context()
                with made.wrap_socket(plain, server_hostname=parts.hostname) as line:
                    return _get(line, parts.netloc, uri.partition(parts.netloc)[2] or "/")
            finally:
                timer.cancel()
                timer.join()
    except (OSError, http.client.HTTPException, UnicodeError, ValueError) as error:
        if isinstance(error, KeysUnusable):
            raise
        raise KeysUnusable(f"the jwks_uri cannot be read: {type(error).__name__}") from error


def _cut(rope: socket.socket) -> None:
    """End a connection, whoever reads from it."""
    with suppress(OSError):
        rope.shutdown(socket.SHUT_RDWR)


def _get(line: ssl.SSLSocket, host: str, target: str) -> bytes:
    line.sendall(
        f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n"
        "Connection: close\r\n\r\n".encode("ascii")
    )
    answer = http.client.HTTPResponse(line)
    answer.begin()
    if answer.status != http.client.OK:
        raise KeysUnusable(f"the jwks_uri answers {answer.status}")
    content = b""
    while piece := answer.read1(LARGEST):
        content += piece
        if len(content) > LARGEST:
            raise KeysUnusable("the key set is too large")
    return content


class KeySets:
    """Key sets by their address, fetched when needed and kept a while."""

    def __init__(self, read: Callable[[str], bytes] = fetch) -> None:
        """Nothing is fetched yet.

        Args:
            read: Fetches; blocks.
        """
        self._read = read
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="key-sets")
        self._kept: dict[str, tuple[float, KeySet | KeysUnusable]] = {}
        self._under_way: dict[str, asyncio.Task[KeySet | KeysUnusable]] = {}

    async def at(self, uri: str, kid: str) -> KeySet:
        """The set at an address; fetched again, not too often, when it lacks the key.

        Raises:
            KeysUnusable: It cannot be had. That is remembered for a while too.
        """
        kept = self._kept.get(uri)
        age = time.monotonic() - kept[0] if kept else KEPT
        found = kept[1] if kept else None
        lacking = not isinstance(found, KeySet) or all(key.kid != kid for key in found.keys)
        if found is None or age >= (AGAIN if lacking else KEPT):
            found = await self._fetch(uri)
        if isinstance(found, KeysUnusable):
            raise KeysUnusable(str(found))
        return found

    async def _fetch(self, uri: str) -> KeySet | KeysUnusable:
        """Fetch once, however many wait for it."""
        task = self._under_way.get(uri)
        if task is None:
            task = self._under_way[uri] = asyncio.create_task(self._fetch_now(uri))
            task.add_done_callback(lambda _: self._under_way.pop(uri, None))
        return await asyncio.shield(task)

    async def _fetch_now(self, uri: str) -> KeySet | KeysUnusable:
        found: KeySet | KeysUnusable
        try:
            loop = asyncio.get_running_loop()
            found = read_key_set(await loop.run_in_executor(self._pool, self._read, uri))
        except KeysUnusable as error:
            found = error
        while len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[uri] = (time.monotonic(), found)
        return found
