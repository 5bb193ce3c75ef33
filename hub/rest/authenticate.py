"""Who sends a request: the bearer token in its Authorization header, before all else is looked at.

Nothing of a request without a good token is read: neither its route nor its type nor its body;
whatever is wrong with it, the answer is the same. Open to everyone are what an app needs before
it can log in: the CapabilityStatement and a browser's preflight (discovery is `hub.auth`'s).
Called by `hub.rest.dispatcher` and, for what only an administrator or this machine may see, by
`hub.rest.pages`. Spec: RFC 6750; SMART App Launch 2.2.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from hub.access.tokens import TokenRefused
from hub.errors import BadRequest, HubError, fault
from hub.principal import Principal
from hub.rest.exchange import Header

ANONYMOUS = Principal("anonymous", frozenset(("anonymous",)), scopes=())
"""Who asks for what is open to everyone; may nothing else."""

REALM = b'Bearer realm="fhir"'
INSUFFICIENT: Header = (b"www-authenticate", REALM + b', error="insufficient_scope"')
"""For whoever is known and may not: RFC 6750, 3.1."""

_SCHEME = b"Bearer "
_LONGEST_SCHEME = 64
_IN_URL = b"access_token="
_SAFE = frozenset(("GET", "HEAD"))


class Unauthenticated(HubError):
    """401: there is no token, or none that is good.

    Attributes:
        challenge: Value of WWW-Authenticate.
        reason: Why, for the audit; never for who sent it.
    """

    status = 401

    def __init__(self, reason: str) -> None:
        """Say why, to the audit.

        Args:
            reason: `missing`, or why the token that came is refused.
        """
        missing = reason == "missing"
        super().__init__(fault("login", "token-missing" if missing else "token-refused"))
        self.reason = reason
        self.challenge = REALM if missing else REALM + b', error="invalid_token"'


class Verifier(Protocol):
    """Turns tokens into principals; see `hub.access.tokens`."""

    async def verify(self, token: bytes, now: int) -> Principal:
        """Whose token it is; raises TokenRefused."""


class Guard:
    """Finds out who sends a request."""

    def __init__(self, verifier: Verifier) -> None:
        """Prepare.

        Args:
            verifier: Knows good tokens.
        """
        self._verify = verifier.verify

    async def principal(self, raw: Sequence[Header], headers: Mapping[bytes, bytes]) -> Principal:
        """Who sends a request.

        Args:
            raw: Its headers as they came.
            headers: The same by name.

        Raises:
            Unauthenticated: Nobody who is known.
            StoreUnavailable: That cannot be found out.
        """
        value = headers.get(b"authorization")
        if value is None:
            raise Unauthenticated("missing")
        if len(headers) != len(raw) and sum(name == b"authorization" for name, _ in raw) > 1:
            raise Unauthenticated("repeated")
        token = value[7:] if value[:7] == _SCHEME else _token(value)
        try:
            return await self._verify(token, int(time.time() * 1000))
        except TokenRefused as error:
            raise Unauthenticated(error.reason) from None

    async def if_known(self, raw: Sequence[Header], headers: Mapping[bytes, bytes]) -> Principal:
        """Who asks for what is open to everyone; without a good token, anybody.

        Args:
            raw: Its headers as they came.
            headers: The same by name.
        """
        try:
            return await self.principal(raw, headers)
        except Unauthenticated:
            return ANONYMOUS


class StrangerNotes:
    """How many refusals of strangers go into the audit, so that nobody fills the disk with them.

    So many at once, and so many a second; the next one that is noted tells of those before it.
    """

    def __init__(
        self, burst: int = 1000, rate: float = 20.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with all of them left.

        Args:
            burst: At once.
            rate: A second.
            clock: Seconds.
        """
        self._burst, self._rate, self._clock = burst, rate, clock
        self._left, self._then, self._unnoted = float(burst), clock(), 0

    def note(self, reason: str) -> str | None:
        """The reason to note with a refusal, None when it is not to be noted."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._then) * self._rate)
        self._then = now
        if self._left < 1:
            self._unnoted += 1
            return None
        self._left -= 1
        unnoted, self._unnoted = self._unnoted, 0
        return f"{reason} (and {unnoted} more strangers)" if unnoted else reason


def with_few_strangers(record: Callable[..., None], notes: StrangerNotes) -> Callable[..., None]:
    """The audit of the sign-in, in which strangers' refusals are so many only.

    An account that is locked is no more of a witness: who guesses on needs no guess to be right.

    Args:
        record: `hub.audit.recorder.Recorder.access`.
        notes: How many.
    """

    def limited(event: str, *, ok: bool, account: str = "", reason: str = "", **about: str) -> None:
        note: str | None = reason
        if not ok and (not account or reason == "locked"):
            note = notes.note(reason)
        if note is not None:
            record(event, ok=ok, account=account, reason=note, **about)

    return limited


def _token(value: bytes) -> bytes:
    """What stands behind a scheme that is not written as it mostly is."""
    scheme, _, token = value.partition(b" ")
    if scheme[:_LONGEST_SCHEME].lower() != b"bearer":
        raise Unauthenticated("scheme")
    return token


def is_open(method: str, path: bytes, headers: Mapping[bytes, bytes]) -> bool:
    """Whether everyone may ask that.

    Args:
        method: HTTP method.
        path: Raw path below the base; no other way to write it counts.
        headers: By name.
    """
    if method == "OPTIONS":
        return b"access-control-request-method" in headers
    return path == b"/metadata" and method in _SAFE


def refuse_token_in_url(query: bytes) -> None:
    """Refuse a token in the address, where logs and other pages see it (RFC 9700, 4.3.2).

    Args:
        query: Raw query string.

    Raises:
        BadRequest: There is one.
    """
    if _IN_URL in query:
        raise BadRequest(fault("security", "token-in-url"))
