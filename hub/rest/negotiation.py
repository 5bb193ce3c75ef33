"""Content negotiation: which format, language and encoding an answer has.

`_format` wins over Accept; a generic type such as application/json is answered by the same
name; browsers, which prefer HTML, get indented JSON. Called by `hub.rest.dispatcher`.
Spec: https://hl7.org/fhir/R4/http.html#mime-type, RFC 9110 section 12.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Literal

from hub.errors import BadRequest, NotAcceptable, UnsupportedMediaType, fault
from hub.rest.exchange import Format, Parameters

FHIR_JSON, FHIR_XML = "application/fhir+json", "application/fhir+xml"

# Each media type to its format, and the name it is answered by.
MEDIA_TYPES: Mapping[str, tuple[Literal["json", "xml"], str]] = {
    FHIR_JSON: ("json", FHIR_JSON),
    "application/json+fhir": ("json", FHIR_JSON),
    "application/json": ("json", "application/json"),
    "text/json": ("json", "text/json"),
    FHIR_XML: ("xml", FHIR_XML),
    "application/xml+fhir": ("xml", FHIR_XML),
    "application/xml": ("xml", "application/xml"),
    "text/xml": ("xml", "text/xml"),
}
FHIR_NAMES = frozenset(
    (FHIR_JSON, FHIR_XML, "application/json+fhir", "application/xml+fhir"),
)
_FORMAT_CODES: Mapping[str, str] = {"json": FHIR_JSON, "xml": FHIR_XML}
_PAGES = frozenset(("text/html", "application/xhtml+xml"))
_VERSIONS = frozenset(("4.0", "4.0.1", "4"))
_CHARSETS = frozenset(("utf-8", "utf8", "us-ascii", "ascii"))
_CHOOSING = frozenset(("_format", "_pretty"))
_LONGEST = 2048


@lru_cache(maxsize=256)
def media_type(value: str) -> tuple[str, Mapping[str, str]]:
    """A media type in lower case, and its parameters.

    Args:
        value: `application/fhir+json; charset=utf-8; fhirVersion=4.0`.
    """
    name, *rest = value.split(";")
    parameters: dict[str, str] = {}
    for part in rest:
        key, _, text = part.partition("=")
        parameters[key.strip().lower()] = text.strip().strip('"')
    return name.strip().lower(), parameters


def _content_type(name: str) -> bytes:
    return f"{name}; charset=utf-8".encode()


DEFAULT = Format("json", _content_type(FHIR_JSON))


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0


def _servable(parameters: Mapping[str, str]) -> bool:
    """No other FHIR version or character set is asked for."""
    return (
        parameters.get("fhirversion", "4.0") in _VERSIONS
        and parameters.get("charset", "utf-8").lower() in _CHARSETS
    )


def ranges(accept: str) -> Iterator[tuple[float, str, Mapping[str, str]]]:
    """The media ranges of an Accept header: weight, name, parameters."""
    for part in accept.split(","):
        if part.strip():
            name, parameters = media_type(part)
            yield _weight(parameters.get("q", "1")), name, parameters


def _accepted(accept: str) -> Format | None:
    """The best format for an Accept header, None if there is none."""
    best: tuple[float, int, int] = (0.0, 0, 0)
    found: Format | None = None
    for position, (weight, name, parameters) in enumerate(ranges(accept)):
        if not weight or not _servable(parameters):
            continue
        if name in MEDIA_TYPES:
            kind, answered = MEDIA_TYPES[name]
            candidate = Format(kind, _content_type(answered), explicit=name in FHIR_NAMES)
            rank = (weight, 2, -position)
        elif name in ("*/*", "application/*"):
            candidate, rank = DEFAULT, (weight, 1, -position)
        elif name == "text/*":
            candidate, rank = Format("json", _content_type("text/json")), (weight, 1, -position)
        else:
            continue
        if rank > best:
            best, found = rank, candidate
    return found


def _is_browser(accept: str) -> bool:
    names = {name for weight, name, _ in ranges(accept) if weight == 1.0}
    everything = any(name == "*/*" for _, name, _ in ranges(accept))
    return everything and bool(names & _PAGES) and not names & MEDIA_TYPES.keys()


@lru_cache(maxsize=256)
def _negotiated(accept: str) -> Format | None:
    if not accept.strip():
        return DEFAULT
    if _is_browser(accept):
        return Format("json", DEFAULT.content_type, pretty=True)
    return _accepted(accept)


@lru_cache(maxsize=64)
def _by_parameter(value: str) -> Format | None:
    # A plus sign in a query stands for a space: application/fhir json.
    name, parameters = media_type(value.strip().replace(" ", "+"))
    name = _FORMAT_CODES.get(name, name)
    if name not in MEDIA_TYPES or not _servable(parameters):
        return None
    kind = MEDIA_TYPES[name][0]
    return Format(kind, _content_type(FHIR_JSON if kind == "json" else FHIR_XML), explicit=True)


def negotiate(accept: bytes | None, format_parameter: str = "", pretty: str = "") -> Format:
    """The format to answer in.

    Args:
        accept: The Accept header.
        format_parameter: `_format`, "" if not given.
        pretty: `_pretty`, "" if not given.

    Raises:
        NotAcceptable: None of the formats asked for can be made.
        BadRequest: `_pretty` is neither true nor false.
    """
    if accept is None and not format_parameter and not pretty:
        return DEFAULT
    text = (accept or b"").decode("latin-1")
    if format_parameter:
        found = _by_parameter(format_parameter) if len(format_parameter) <= _LONGEST else None
    else:
        found = _negotiated(text) if len(text) <= _LONGEST else _accepted(text)
    if found is None:
        raise NotAcceptable(fault("not-supported", "format-not-acceptable"))
    if pretty and pretty not in ("true", "false"):
        raise BadRequest(fault("value", "pretty-invalid"))
    if pretty and found.pretty != (pretty == "true"):
        found = Format(found.name, found.content_type, pretty == "true", found.explicit)
    return found


def extract(accept: bytes | None, parameters: Parameters) -> tuple[Format | None, Parameters]:
    """Take `_format` and `_pretty` out of parameters.

    Args:
        accept: The Accept header.
        parameters: Decoded parameters.

    Returns:
        The format to answer in, None when neither is there, and the other parameters.

    Raises:
        HubError: As `negotiate` does.
    """
    chosen = {name: value for name, value in parameters if name in _CHOOSING}
    if not chosen:
        return None, parameters
    format = negotiate(accept, chosen.get("_format", ""), chosen.get("_pretty", ""))
    return format, tuple(pair for pair in parameters if pair[0] not in _CHOOSING)


def body_format(content_type: str | None) -> Literal["json", "xml"]:
    """The format of a request's body.

    Args:
        content_type: The Content-Type header.

    Raises:
        UnsupportedMediaType: It is missing, no FHIR format, in another character set or for
            another version of FHIR.
    """
    name, parameters = media_type((content_type or "")[:_LONGEST])
    if name not in MEDIA_TYPES:
        raise UnsupportedMediaType(fault("not-supported", "content-type-unsupported"))
    check_charset(parameters)
    if parameters.get("fhirversion", "4.0") not in _VERSIONS:
        raise UnsupportedMediaType(fault("not-supported", "fhir-version-unsupported"))
    return MEDIA_TYPES[name][0]


def check_charset(parameters: Mapping[str, str]) -> None:
    """Refuse a body that is not UTF-8.

    Raises:
        UnsupportedMediaType: Another character set is named.
    """
    if parameters.get("charset", "utf-8").lower() not in _CHARSETS:
        raise UnsupportedMediaType(fault("not-supported", "charset-unsupported"))


@lru_cache(maxsize=256)
def _language(accept: str) -> str:
    best, found = 0.0, "en"
    for weight, name, _ in ranges(accept):
        primary = name.partition("-")[0]
        if weight > best and primary in ("en", "zh"):
            best, found = weight, primary
    return found


def language(accept_language: bytes | None) -> str:
    """`zh` or `en`, the better match for an Accept-Language header; `en` when neither is named."""
    if not accept_language:
        return "en"
    return _language(accept_language[:_LONGEST].decode("latin-1"))


@lru_cache(maxsize=256)
def _gzip_accepted(accept: str) -> bool:
    weights = {name: weight for weight, name, _ in ranges(accept)}
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def gzip_accepted(accept_encoding: bytes | None) -> bool:
    """True when the client takes gzip."""
    if not accept_encoding:
        return False
    return _gzip_accepted(accept_encoding[:_LONGEST].decode("latin-1"))


def accepts_media(accept: bytes | None, content_type: str) -> bool:
    """True when an Accept header takes a media type that is not FHIR's, for raw Binary."""
    if not accept or not accept.strip():
        return True
    wanted = media_type(content_type)[0]
    return any(
        weight and name in ("*/*", wanted, wanted.partition("/")[0] + "/*")
        for weight, name, _ in ranges(accept.decode("latin-1"))
    )
