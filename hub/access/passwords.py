"""Passwords: hashed with argon2id, off the event loop, a few at a time.

What to hash with follows OWASP's advice (19 MiB, two passes, one lane): 64 MiB a login, the
library's default, would let a few dozen logins at a time exhaust a small machine. Called by
`accounts`.
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from hub.errors import Unavailable, fault

T = TypeVar("T")

SHORTEST, LONGEST = 8, 256
"""Characters of a password."""

THREADS = 2
MOST_WAITING = 64
"""Beyond so many logins at a time the next are put off with 503."""

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of generated passwords: nothing that looks like something else."""


class PasswordRefused(ValueError):
    """It cannot be a password; `message` is the id of the words for it."""

    def __init__(self, message: str) -> None:
        """Say why."""
        super().__init__(message)
        self.message = message


class Passwords:
    """Hashes and verifies."""

    def __init__(self) -> None:
        """Prepare the threads; they start with the first password."""
        self._hasher = PasswordHash((Argon2Hasher(2, 19 * 1024, 1),))
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="password")
        self._waiting = 0
        self._dummy = ""

    async def hash(self, password: str) -> str:
        """The hash to store, with its salt and parameters."""
        return await self._run(lambda: self._hasher.hash(_normal(password)))

    async def verify(self, password: str, hash: str | None) -> bool:
        """Whether it is the password that was hashed.

        Args:
            password: What was entered; any length.
            hash: What is stored; None: there is no account, and that takes as long.

        Raises:
            Unavailable: Too many are being verified.
        """
        if not self._dummy:
            self._dummy = await self.hash(secrets.token_urlsafe())

        def compare() -> bool:
            try:
                found = self._hasher.verify(_normal(password[:LONGEST]), hash or self._dummy)
            except UnknownHashError:
                return False
            return found and hash is not None and len(password) <= LONGEST

        return await self._run(compare)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise Unavailable(fault("throttled", "access-busy"))
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1


def check_password(password: str, name: str) -> None:
    """Refuse a password that is too easy, or too long to be meant.

    Args:
        password: The new password.
        name: The account's name, which it must not be.

    Raises:
        PasswordRefused: It cannot be used.
    """
    if len(password) < SHORTEST:
        raise PasswordRefused("access-password-short")
    if len(password) > LONGEST:
        raise PasswordRefused("access-password-long")
    if len(set(password)) < 4 or name.lower() in (password.lower(), password[::-1].lower()):
        raise PasswordRefused("access-password-easy")


def new_password() -> str:
    """A password to print once: four groups of four characters, 79 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def _normal(password: str) -> bytes:
    """The same bytes whichever keyboard it was typed on (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
