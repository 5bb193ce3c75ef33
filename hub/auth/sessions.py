"""Sessions: who is logged in in a browser, and the tokens of our own forms.

A session is a secret in a cookie, kept hashed in the ledger. A form's token is derived from the
cookie that the browser has anyway (before a login: one that means nothing), so a page of another
origin can neither read nor guess it. Called by every page.
Spec: RFC 6265bis (4.1.3, `__Host-`), OWASP session management.
"""

from __future__ import annotations

import hashlib
import hmac

import msgspec
from msgspec.structs import replace

from hub.access import opaque
from hub.access.accounts import Account, Accounts
from hub.access.records import Records
from hub.auth.exchange import Call, Header
from hub.storage.ledger import Ledger

FORM_SECONDS = 12 * 3600
"""How long a page with a form may stay open before a login."""

MOST_GRANTS = 50


class Session(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A session.

    Attributes:
        account: Name of the account.
        login: When the password was given, milliseconds since the epoch.
        change: The password must be changed first; the session is good for nothing else.
        grants: Ids of grants that end with it.
    """

    account: str
    login: int
    change: bool = False
    grants: tuple[str, ...] = ()


class Browser(msgspec.Struct, frozen=True):
    """A browser that is logged in: its cookie's secret, the session and the account."""

    secret: str
    session: Session
    account: Account

    @property
    def key(self) -> str:
        """The session's key: what a pending request is bound to."""
        return opaque.hashed(self.secret)


class Sessions:
    """The sessions of a tenant."""

    def __init__(
        self, ledger: Ledger, tenant: int, accounts: Accounts, secure: bool, lifetime: int
    ) -> None:
        """Put the parts together.

        Args:
            ledger: Where they are kept.
            tenant: Tenant key.
            accounts: Whose they are.
            secure: The hub is reached by https: cookies are bound to it.
            lifetime: Seconds after which people log in again.
        """
        self._records = Records(ledger, tenant, "session", Session)
        self._accounts, self._secure, self._lifetime = accounts, secure, lifetime
        self._names = [f"__Host-{name}" if secure else name for name in ("hub-session", "hub-form")]

    async def of(self, call: Call) -> Browser | None:
        """Who is logged in; None when nobody is (any more)."""
        secret = call.cookies.get(self._names[0], "")
        key = opaque.hashed(secret)
        found = await self._records.get(key, call.now) if key else None
        if found is None:
            return None
        account = await self._accounts.get(found.value.account, call.now)
        if account is None or account.disabled or found.value.login < account.since:
            return None
        return Browser(secret, found.value, account)

    async def start(
        self,
        account: Account,
        call: Call,
        *,
        change: bool = False,
        grants: tuple[str, ...] = (),
    ) -> Browser:
        """Log somebody in, under a new secret: one from before the login counts no more.

        Args:
            account: Who.
            call: The request.
            change: The password must be changed first.
            grants: Ids of grants that end with the session.
        """
        secret = opaque.new_secret()
        session = Session(account=account.name, login=call.now, change=change, grants=grants)
        await self._records.add(
            opaque.hashed(secret), session, call.now, call.now + self._lifetime * 1000
        )
        return Browser(secret, session, account)

    async def holds(self, browser: Browser, grant: str, now: int) -> None:
        """Let a grant end with the session."""
        await self._records.change(
            browser.key,
            now,
            lambda session: replace(session, grants=(*session.grants, grant)[-MOST_GRANTS:]),
        )

    async def end(self, call: Call) -> Session | None:
        """Log out; gives what ended."""
        key = opaque.hashed(call.cookies.get(self._names[0], ""))
        return await self._records.take(key, call.now) if key else None

    # --- cookies and forms -------------------------------------------------------------------

    def cookie(self, browser: Browser) -> Header:
        """The header that keeps a session."""
        return self._set(0, browser.secret, self._lifetime)

    def no_cookie(self) -> Header:
        """The header that forgets it."""
        return self._set(0, "", 0)

    def form_token(self, call: Call, browser: Browser | None) -> tuple[str, tuple[Header, ...]]:
        """The token of a form, and the headers that its page needs."""
        if browser is not None:
            return _token(browser.secret), ()
        known = call.cookies.get(self._names[1], "")
        if len(known) >= 43 and opaque.hashed(known):
            return _token(known), ()
        fresh = opaque.new_secret()
        return _token(fresh), (self._set(1, fresh, FORM_SECONDS),)

    def is_ours(self, call: Call, browser: Browser | None, token: str) -> bool:
        """Whether a form came from our page in this browser."""
        if call.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        secret = browser.secret if browser else call.cookies.get(self._names[1], "")
        # As bytes: text that is not ASCII cannot be compared in constant time.
        given = token.encode("utf-8", "surrogatepass")
        return len(secret) >= 43 and hmac.compare_digest(_token(secret).encode(), given)

    def _set(self, name: int, value: str, seconds: int) -> Header:
        secure = "; Secure" if self._secure else ""
        text = f"{self._names[name]}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax"
        return ("set-cookie", text + secure)


def _token(secret: str) -> str:
    return hashlib.sha256(b"form " + secret.encode("utf-8", "surrogatepass")).hexdigest()
