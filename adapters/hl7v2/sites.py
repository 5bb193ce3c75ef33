"""Sites: the systems that send messages and get them, a file `sites/NAME.toml` each.

A site overrides what is ours without touching it: how text and times are to be read, which
identifier system a namespace is, local tables, Z-segments, and where messages go out to. Read and
checked once at start; a key that means nothing is refused with the one that may be meant. Who
sends without a file gets the site `default`. docs/hl7v2/wire.md is for the people who write them.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from adapters.hl7v2.charset import DETECT, codecs_of
from hub.settings import Settings, SettingsError

DEFAULT = "default"
ANY = "*"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_EVENTS = ("ADT", "ORU")
_LARGEST = 1024 * 1024
_DEEPEST = 40
_TOO_DEEP = f"tables and lists are in one another more than {_DEEPEST} times."


class SiteError(ValueError):
    """A site file cannot be used; the text names file, key and fix."""


class Destination(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where messages of a site go out to.

    Attributes:
        host: Address or name.
        port: TCP port.
        tls: Over TLS; certificates are settings of the hub.
        events: What it gets by itself when the record changes: `ADT`, `ORU`. Referrals and
            documents go to whom a person names.
        charset: Charset to write in.
        unencodable: What becomes of a character that the charset lacks: `refuse` leaves the
            message to a person, `escape` writes its UTF-8 as a hexadecimal escape sequence.
        ack: `enhanced` asks for accept and application acknowledgements.
        application: MSH-5.
        facility: MSH-6.
        version: MSH-12.
        sending_application: MSH-3.
        sending_facility: MSH-4.
        processing: MSH-11: `P` production, `T` training, `D` debugging.
        answer_seconds: How long an acknowledgement is waited for.
        error_attempts: How often a message that is answered AE or CE without a reason is sent.
    """

    host: str
    port: int
    tls: bool = False
    events: tuple[str, ...] = ()
    charset: str = "UNICODE UTF-8"
    ack: Literal["original", "enhanced"] = "original"
    application: str = ""
    facility: str = ""
    version: str = "2.5.1"
    unencodable: Literal["refuse", "escape"] = "refuse"
    sending_application: str = "FHIRHUB"
    sending_facility: str = ""
    processing: Literal["P", "T", "D"] = "P"
    answer_seconds: float = 30.0
    error_attempts: int = 10


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """Rules for one sender or destination. Compared by identity, so it may key a cache.

    Attributes:
        name: Of its file.
        sender: `MSH-3|MSH-4` that it is for; each part may be `*`.
        zone: IANA zone of stamps without an offset.
        charset: When MSH-18 is empty: a name of table 0211, or `detect`.
        believe_charset: MSH-18 counts; false for senders that put a wrong one there.
        addresses: Networks that may send; none: all that reach the port.
        systems: Namespace of identifiers (CX-4.1, EI-2) -> identifier system.
        tables: Table -> local code -> ours.
        segments: Segment -> its map, in the map language (`adapters.hl7v2.mapping`).
        concept_maps: Field -> canonical of the ConceptMap that translates its codes.
        destination: Where messages go out to.
        file: For errors; None for the default without one.
    """

    name: str = DEFAULT
    sender: tuple[str, ...] = ()
    zone: str = "Asia/Shanghai"
    charset: str = DETECT
    believe_charset: bool = True
    addresses: tuple[Network, ...] = ()
    systems: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    segments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    concept_maps: Mapping[str, str] = field(default_factory=dict)
    destination: Destination | None = None
    file: Path | None = None

    def admits(self, address: str) -> bool:
        """Whether messages of the site may come from an address, "" for the hub itself."""
        if not self.addresses or not address:
            return True
        try:
            peer = ipaddress.ip_address(address.split("%")[0])
        except ValueError:
            return False
        mapped = peer.ipv4_mapped if isinstance(peer, ipaddress.IPv6Address) else None
        return any((mapped or peer) in network for network in self.addresses)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """What a site file may hold."""

    sender: tuple[str, ...] = ()
    zone: str = ""
    charset: str = DETECT
    believe_charset: bool = True
    addresses: tuple[str, ...] = ()
    systems: dict[str, str] = {}
    tables: dict[str, dict[str, Any]] = {}
    segments: dict[str, dict[str, Any]] = {}
    concept_maps: dict[str, str] = {}
    destination: Destination | None = None


@dataclass(frozen=True, slots=True)
class Sites:
    """All sites of a hub.

    Attributes:
        named: By their names; `default` among them.
        strangers: Senders without a file are taken by the default site.
    """

    named: Mapping[str, Site]
    strangers: bool = True
    _exact: dict[str, Site] = field(init=False, repr=False, default_factory=dict)
    _masks: list[tuple[str, str, Site]] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        """Index senders."""
        for site in self.named.values():
            for sender in site.sender:
                application, _, facility = sender.partition("|")
                if ANY in (application, facility):
                    self._masks.append((application, facility, site))
                else:
                    self._exact[sender] = site
        # `APP|*` before `*|FAC` before `*|*`.
        self._masks.sort(key=lambda mask: (mask[0] == ANY, mask[1] == ANY))

    @property
    def default(self) -> Site:
        """For senders without a file."""
        return self.named[DEFAULT]

    def of(self, sender: str) -> Site | None:
        """The site of a sender; None for a stranger where strangers are refused.

        Args:
            sender: `MSH-3|MSH-4`.
        """
        found = self._exact.get(sender)
        if found is not None:
            return found
        application, _, facility = sender.partition("|")
        for wanted, place, site in self._masks:
            if wanted in (ANY, application) and place in (ANY, facility):
                return site
        return self.default if self.strangers else None

    def may_connect(self, address: str) -> bool:
        """Whether any site takes messages from an address."""
        sites = [site for site in self.named.values() if site.name != DEFAULT or self.strangers]
        return any(site.admits(address) for site in sites)


def load_sites(folder: Path, *, zone: str, strangers: bool = True) -> Sites:
    """All site files of a folder, and the default site.

    Args:
        folder: Need not exist.
        zone: Of sites that name none.
        strangers: Senders without a file are taken.

    Raises:
        SiteError: A file cannot be read or used, or two are for the same sender.
    """
    named = {DEFAULT: Site(zone=zone)}
    for path in sorted(folder.glob("*.toml")):
        named[path.stem] = read_site(path, zone=zone)
    owners: dict[str, Site] = {}
    for site in named.values():
        for sender in site.sender:
            other = owners.setdefault(sender, site)
            if other is not site:
                raise SiteError(f"{site.file}: sender {sender} is that of {other.file} too.")
    return Sites(MappingProxyType(named), strangers)


def read_sites(settings: Settings) -> Sites:
    """The sites of a hub; their maps are not looked at (`service.sites_of` does).

    Args:
        settings: Where the files are, zone, strangers.

    Raises:
        SettingsError: A file cannot be used; the text names it.
    """
    strangers = settings.hl7v2_strangers == "accept"
    try:
        return load_sites(settings.site_files, zone=settings.zone, strangers=strangers)
    except SiteError as error:
        raise SettingsError(str(error)) from error


def read_site(path: Path, *, zone: str) -> Site:
    """One site file.

    Args:
        path: `NAME.toml`.
        zone: When it names none.

    Raises:
        SiteError: It cannot be read or used.
    """
    if not _NAME.fullmatch(path.stem):
        raise SiteError(
            f"{path}: the name of a site is of a-z, 0-9, '-' and '_', at most 63 characters."
        )
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            raise SiteError(f"{path}: no file of at most {_LARGEST} bytes.")
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:  # A number of 5,000 digits is only a ValueError.
        raise SiteError(f"{path}: {error}") from error
    except RecursionError as error:
        raise SiteError(f"{path}: {_TOO_DEEP}") from error
    if _is_deep(content, _DEEPEST):
        raise SiteError(f"{path}: {_TOO_DEEP}")
    _refuse_unknown(path, content, _File, "")
    _refuse_unknown(path, content.get("destination"), Destination, "destination.")
    try:
        read = msgspec.convert(content, _File)
    except msgspec.ValidationError as error:
        raise SiteError(f"{path}: {str(error).replace('$.', '')}.") from error
    _check(path, read)
    return Site(
        name=path.stem,
        sender=read.sender,
        zone=read.zone or zone,
        charset=read.charset,
        believe_charset=read.believe_charset,
        addresses=tuple(_network(path, text) for text in read.addresses),
        systems=MappingProxyType(read.systems),
        tables=MappingProxyType(read.tables),
        segments=MappingProxyType(read.segments),
        concept_maps=MappingProxyType(read.concept_maps),
        destination=read.destination,
        file=path,
    )


def _is_deep(content: object, left: int) -> bool:
    """Whether tables and lists are in one another more than so many times."""
    if isinstance(content, dict):
        return not left or any(_is_deep(inner, left - 1) for inner in content.values())
    if isinstance(content, list):
        return not left or any(_is_deep(inner, left - 1) for inner in content)
    return False


def _refuse_unknown(path: Path, content: object, shape: type[msgspec.Struct], place: str) -> None:
    if not isinstance(content, dict):
        return
    known = shape.__struct_fields__
    for key in content:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1, 0.6)
            meant = f"; {place}{near[0]}?" if near else f"; known are {', '.join(known)}."
            raise SiteError(f"{path}: {place}{key} is no key of a site{meant}")


def _check(path: Path, read: _File) -> None:
    for sender in read.sender:
        if sender.count("|") != 1:
            raise SiteError(f"{path}: sender {sender} must be MSH-3|MSH-4, such as HIS|CENTRAL.")
    if not read.sender and read.destination is None and path.stem != DEFAULT:
        raise SiteError(f'{path}: say who sends, as sender = ["HIS|CENTRAL"], or a [destination].')
    if read.charset != DETECT and codecs_of(read.charset) is None:
        raise SiteError(f"{path}: charset {read.charset} is unknown; GB18030, UTF-8, detect ...")
    if read.zone:
        try:
            ZoneInfo(read.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise SiteError(
                f"{path}: {read.zone} is no IANA zone such as Asia/Shanghai."
            ) from error
    if read.destination is not None:
        _check_destination(path, read.destination)


def _check_destination(path: Path, destination: Destination) -> None:
    if not 1 <= destination.port <= 65535:
        raise SiteError(f"{path}: destination.port must be between 1 and 65535.")
    if codecs_of(destination.charset) is None:
        raise SiteError(f"{path}: destination.charset {destination.charset} is unknown.")
    _refuse_other(path, "destination.events", destination.events, _EVENTS)


def _refuse_other(path: Path, place: str, given: Sequence[str], known: Sequence[str]) -> None:
    for one in given:
        if one not in known:
            raise SiteError(f"{path}: {place}: {one} is none of {', '.join(known)}.")


def _network(path: Path, text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise SiteError(
            f"{path}: addresses: {text} is no address or network such as 10.0.0.0/8."
        ) from error
