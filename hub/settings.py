"""Settings of the hub: one frozen dataclass, read from the environment and the command line.

Every field is also the environment variable `HUB_` + its name in capitals; the command line
overrides the environment. Sizes take `KB`, `MB`, `GB` (powers of 1024). docs/settings.md is made
from here by `python -m hub.settings` and a test compares it. Read by every layer through the
instance that `hub.app` passes down; nothing else looks at the environment.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

KIB, MIB, GIB = 1024, 1024**2, 1024**3
_SIZE = re.compile(r"(\d+)\s*(|B|KB|MB|GB)", re.IGNORECASE)
_UNITS = {"": 1, "B": 1, "KB": KIB, "MB": MIB, "GB": GIB}
_TRUE, _FALSE = frozenset(("1", "true", "yes", "on")), frozenset(("0", "false", "no", "off"))

AUTH_MODES = ("on", "off")
STORES = ("sqlite", "memory")
STRANGERS = ("accept", "refuse")
LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the text names it and the fix."""


def setting(default: Any, text: str) -> Any:
    """A field of `Settings` with its documentation.

    Args:
        default: Value when neither the environment nor the command line has one.
        text: One or two sentences for docs/settings.md.
    """
    return field(default=default, metadata={"text": text})


@dataclass(frozen=True, slots=True)
class Settings:
    """How one hub runs. Durations are seconds, sizes are bytes.

    Raises:
        SettingsError: A value is out of its range, or the combination is unsafe.
    """

    host: str = setting("127.0.0.1", "Address to listen on. Only loopback while `auth` is `off`.")
    port: int = setting(8080, "TCP port to listen on; 0 takes a free one.")
    data: Path = field(
        default=Path("data"),
        metadata={"text": "Folder of the store, its blobs, its keys and its sockets."},
    )
    store: str = setting("sqlite", "Where resources are kept: `sqlite`, or `memory` for trials.")
    workers: int = setting(1, "Processes that answer requests. Commits always go to one writer.")
    auth: str = setting(
        "on",
        "`on`: every request needs a token of somebody who logged in, or of a service. `off`: "
        "everyone who reaches the address may do everything; on loopback only.",
    )
    registration: bool = setting(
        False,
        "Let apps register themselves (RFC 7591); `serve --demo` does unless this is given.",
    )
    token_lifetime: int = setting(3600, "Seconds an access token of staff or of a service lives.")
    personal_token_lifetime: int = setting(
        900, "Seconds an access token of a patient or a relative lives."
    )
    session_lifetime: int = setting(
        12 * 3600, "Seconds after which people log in again at the hub's own pages."
    )

    public_url: str = setting(
        "",
        "Address under which clients reach the hub, without `/fhir` (`https://hub.example.org`). "
        "Location, fullUrl and links are made from it. Empty: `http://host:port`.",
    )
    trusted_proxies: tuple[str, ...] = setting(
        (),
        "Addresses or networks of reverse proxies whose X-Forwarded-For is believed; so are their "
        "X-Forwarded-Proto and X-Forwarded-Host when `public_url` is empty.",
    )
    hosts: tuple[str, ...] = setting(
        (),
        "More values of the Host header to accept. While `auth` is `off` every other host than "
        "loopback, `host` and that of `public_url` is refused (DNS rebinding).",
    )
    cors: tuple[str, ...] = setting(
        (),
        "Origins whose pages may use the API (`https://app.example.org`), `*` for all, `none`. "
        "Empty: all while `auth` is `on`, since a foreign page has no token; else none.",
    )

    audit_reads: bool = setting(
        True,
        "Note reads, searches and refusals in the audit chain too; writes and logins always are.",
    )
    zone: str = setting("Asia/Shanghai", "IANA zone of dates and times without an offset.")
    integrity: bool = setting(
        True,
        "Refuse references to what does not exist and deletion of what is referenced.",
    )
    validate_invariants: bool = setting(True, "Check R4's FHIRPath invariants on write.")

    default_count: int = setting(20, "Page size of searches and histories without `_count`.")
    max_count: int = setting(1000, "Largest page size; a greater `_count` is lowered to it.")
    include_limit: int = setting(1000, "Most resources a page includes beside its matches.")
    search_deadline: float = setting(5.0, "Seconds after which a search is refused as too costly.")
    delete_multiple_limit: int = setting(
        100, "Most resources one conditional delete removes; 1 refuses more than a single match."
    )
    bundle_entries: int = setting(20_000, "Most entries of a batch or transaction.")

    body_limit: int = setting(50 * MIB, "Largest request body, after decompression.")
    binary_limit: int = setting(1 * GIB, "Largest raw upload to Binary; it is streamed to disk.")
    body_budget: int = setting(
        256 * MIB,
        "Bytes of request bodies one process holds at a time; beyond it requests are put off "
        "with 503. As many of answers that clients do not take; beyond it the slowest are left.",
    )
    body_timeout: float = setting(
        30.0,
        "Seconds a body may take, plus its size divided by `body_rate`; and after which a client "
        "that takes nothing of its answer is left.",
    )
    body_rate: int = setting(16 * KIB, "Least bytes per second of a slow but honest upload.")
    header_limit: int = setting(64 * KIB, "Largest request line and headers together.")
    header_timeout: float = setting(20.0, "Seconds within which a request's headers must arrive.")
    keep_alive: float = setting(75.0, "Seconds an idle connection is kept open.")
    in_flight: int = setting(500, "Requests one process answers at a time; more get 503.")
    shutdown_grace: float = setting(
        30.0, "Seconds that requests in flight get to finish when the hub stops."
    )
    hang_limit: float = setting(
        60.0,
        "Seconds without a sign of life after which one of several workers is killed and started "
        "again; 0: never.",
    )

    mllp: int = setting(
        0,
        "TCP port for HL7 v2 messages (MLLP), usually 2575; 0: none are taken. `serve --demo` "
        "takes 2575 unless this is given or the port is somebody else's.",
    )
    mllp_host: str = setting("127.0.0.1", "Address to listen on for HL7 v2 messages.")
    mllp_certificate: str = setting(
        "",
        "File with the certificate chain (PEM) of the MLLP listener; TLS is on when it is given. "
        "Also shown to destinations that ask for one.",
    )
    mllp_key: str = setting(
        "", "File with its private key (PEM). Empty: in the same file as the certificate."
    )
    mllp_client_ca: str = setting(
        "",
        "File with the authorities (PEM) whose clients may send messages; each has to show a "
        "certificate then. Empty: no client needs one.",
    )
    mllp_server_ca: str = setting(
        "",
        "File with the authorities (PEM) that destinations with `tls` are checked by. Empty: the "
        "system's.",
    )
    mllp_connections: int = setting(256, "Senders of HL7 v2 messages connected at a time.")
    mllp_message_limit: int = setting(
        32 * MIB, "Largest HL7 v2 message; a larger one is answered AR."
    )
    mllp_timeout: float = setting(
        30.0,
        "Seconds an HL7 v2 message may take to come, plus its size divided by `body_rate`; and "
        "after which a sender that takes no answers is left.",
    )
    sites: str = setting(
        "", "Folder of the site files (`NAME.toml`) for HL7 v2. Empty: `sites` in `data`."
    )
    hl7v2_strangers: str = setting(
        "accept",
        "Senders of HL7 v2 messages without a site file: `accept` them with the default rules, or "
        "`refuse` them.",
    )

    gzip: bool = setting(True, "Compress answers for clients that accept gzip.")
    gzip_minimum: int = setting(1400, "Smallest answer that is compressed (one network packet).")
    log_level: str = setting("info", "`debug`, `info`, `warning` or `error`.")
    access_log: bool = setting(
        True,
        "One JSON line per request and HL7 v2 message on standard error, without ids or values.",
    )
    disk_reserve: int = setting(256 * MIB, "Free disk space below which `/health/ready` says no.")

    def __post_init__(self) -> None:
        """Refuse what cannot work or is unsafe."""
        self._check_choices()
        self._check_ranges()
        _check_zone(self.zone)
        for network in self.trusted_proxies:
            _network(network)
        if self.public_url:
            _check_public_url(self.public_url)
        for origin in self.cors if self.cors != ("none",) else ():
            _check_origin(origin)
        if self.auth == "off" and not is_loopback(self.host):
            raise SettingsError(
                f"HUB_HOST={self.host} is reachable by others while HUB_AUTH=off lets everyone in; "
                "listen on 127.0.0.1."
            )

        if self.auth == "off" and self.mllp and not is_loopback(self.mllp_host):
            raise SettingsError(
                f"HUB_MLLP_HOST={self.mllp_host} is reachable by others while HUB_AUTH=off lets "
                "everyone in; listen on 127.0.0.1."
            )

    def _check_choices(self) -> None:
        for name, choices in (
            ("auth", AUTH_MODES),
            ("store", STORES),
            ("log_level", LOG_LEVELS),
            ("hl7v2_strangers", STRANGERS),
        ):
            if getattr(self, name) not in choices:
                raise SettingsError(f"HUB_{name.upper()} must be one of: {', '.join(choices)}.")
        if self.store == "memory" and self.workers > 1:
            raise SettingsError("HUB_STORE=memory lives in one process; set HUB_WORKERS=1.")

    def _check_ranges(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"HUB_{name.upper()} must be between {low} and {high}.")
        if self.default_count > self.max_count:
            raise SettingsError("HUB_DEFAULT_COUNT must not be above HUB_MAX_COUNT.")
        if self.mllp and self.body_budget < self.mllp_message_limit:
            raise SettingsError("HUB_BODY_BUDGET must not be below HUB_MLLP_MESSAGE_LIMIT.")
        if self.body_budget < self.body_limit:
            raise SettingsError("HUB_BODY_BUDGET must not be below HUB_BODY_LIMIT.")

    @property
    def origins(self) -> tuple[str, ...]:
        """Origins whose pages may use the API; `*` stands for all."""
        if self.cors:
            return () if self.cors == ("none",) else self.cors
        return ("*",) if self.auth == "on" else ()

    @property
    def site_files(self) -> Path:
        """Folder of the site files."""
        return Path(self.sites).expanduser() if self.sites else self.data / "sites"

    @property
    def site(self) -> str:
        """The hub's address without `/fhir` and without a trailing slash; `iss` of its tokens."""
        return self.base.removesuffix("/fhir")

    @property
    def base(self) -> str:
        """The FHIR base URL, without a trailing slash."""
        if self.public_url:
            return self.public_url.rstrip("/") + "/fhir"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/fhir"


_RANGES: Mapping[str, tuple[float, float]] = {
    "port": (0, 65535),
    "workers": (1, 256),
    "token_lifetime": (60, 3600),
    "personal_token_lifetime": (60, 3600),
    "session_lifetime": (60, 30 * 86_400),
    "default_count": (1, 1_000_000),
    "max_count": (1, 1_000_000),
    "include_limit": (1, 1_000_000),
    "search_deadline": (0.001, 3600),
    "delete_multiple_limit": (1, 1_000_000),
    "bundle_entries": (1, 1_000_000),
    "body_limit": (KIB, 4 * GIB),
    "binary_limit": (KIB, 1024 * GIB),
    "body_budget": (KIB, 1024 * GIB),
    "body_timeout": (0.05, 3600),
    "body_rate": (1, GIB),
    "header_limit": (KIB, 16 * MIB),
    "header_timeout": (0.05, 3600),
    "keep_alive": (0.05, 3600),
    "in_flight": (1, 1_000_000),
    "shutdown_grace": (0, 3600),
    "hang_limit": (0, 86_400),
    "mllp": (0, 65535),
    "mllp_connections": (1, 100_000),
    "mllp_message_limit": (KIB, 1 * GIB),
    "mllp_timeout": (0.05, 3600),
    "gzip_minimum": (0, GIB),
    "disk_reserve": (0, 1024 * GIB),
}


def is_loopback(host: str) -> bool:
    """True when only this machine reaches the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise SettingsError(
            f"HUB_TRUSTED_PROXIES: {text} is no address or network such as 10.0.0.0/8."
        ) from error


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"HUB_ZONE: {zone} is no IANA zone such as Asia/Shanghai.") from error


def _check_public_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingsError("HUB_PUBLIC_URL must look like https://hub.example.org.")
    if parts.path.rstrip("/").endswith("/fhir"):
        raise SettingsError("HUB_PUBLIC_URL is the address without /fhir; the hub adds it.")


def _check_origin(origin: str) -> None:
    parts = urlsplit(origin)
    if origin != "*" and (not parts.scheme or not parts.netloc or parts.path not in ("", "/")):
        raise SettingsError(f"HUB_CORS: {origin} is no origin such as https://app.example.org.")


# --- reading the environment ----------------------------------------------------------------


def _boolean(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise ValueError(f"{text} is neither true nor false")


def size(text: str) -> int:
    """Bytes of `50MB`, `64 KB` or `1024`.

    Raises:
        ValueError: It is none.
    """
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text} is no whole number (a size may end in KB, MB or GB)")
    return int(match[1]) * _UNITS[match[2].upper()]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text} is no number") from None


def _strings(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


_READERS: Mapping[str, Callable[[str], Any]] = {
    "str": str.strip,
    "int": size,
    "float": _number,
    "bool": _boolean,
    "Path": lambda text: Path(text).expanduser(),
    "tuple[str, ...]": _strings,
}


def from_environment(environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Settings from `HUB_*` variables.

    Args:
        environment: Variables; the process's own when None.
        **overrides: Values of the command line; None means not given.

    Raises:
        SettingsError: A value cannot be read or used.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    for item in fields(Settings):
        text = environment.get(f"HUB_{item.name.upper()}")
        if text is None or not text.strip():
            continue
        try:
            values[item.name] = _READERS[str(item.type)](text)
        except ValueError as error:
            raise SettingsError(f"HUB_{item.name.upper()}: {error}.") from error
    values.update((name, value) for name, value in overrides.items() if value is not None)
    return Settings(**values)


def misspelt_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that are no setting but nearly one, with the setting that may be meant.

    Args:
        environment: Variables.
    """
    known = [f"HUB_{item.name.upper()}" for item in fields(Settings)]
    unknown = sorted(name for name in environment if name[:4] == "HUB_" and name not in known)
    near = {name: get_close_matches(name, known, 1, 0.8) for name in unknown}
    return {name: found[0] for name, found in near.items() if found}


# --- documentation --------------------------------------------------------------------------


def _all() -> tuple[Any, ...]:
    return fields(Settings)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


def _shown(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        for unit, factor in (("GB", GIB), ("MB", MIB), ("KB", KIB)):
            if value >= factor and value % factor == 0:
                return f"`{value // factor}{unit}`"
    text = _text(value)
    return f"`{text}`" if text else "(empty)"


def documentation() -> str:
    """docs/settings.md, as Markdown."""
    rows = [
        f"| `HUB_{item.name.upper()}` | {_shown(item.default)} | {item.metadata['text']} |"
        for item in _all()
    ]
    return "\n".join(
        (
            "# Settings",
            "",
            "Environment variables; the options of `fhir-hub serve` override them. Durations are "
            "seconds; sizes take",
            "`KB`, `MB` and `GB`; lists are separated by commas. This page is made by "
            "`python -m hub.settings`.",
            "",
            "| Variable | Default | Meaning |",
            "| --- | --- | --- |",
            *rows,
            "",
        )
    )


if __name__ == "__main__":
    sys.stdout.write(documentation())
