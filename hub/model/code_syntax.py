"""Codes whose system is a grammar or an open registry: MIME, BCP 47, UCUM, ISO 4217.

R4 binds elements to them by `required` though no value set can list them
(https://hl7.org/fhir/R4/terminologies.html#4.1.5). Called by `hub.validation.binding` and
`terminology.core.grammars`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from hub.model.ucum import is_valid as is_ucum

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
# Parameter values are met without the quotation marks that RFC 2045 wants around a slash.
_MIME = re.compile(rf'{_TOKEN}/{_TOKEN}(?: ?; ?{_TOKEN}=(?:[^;"]+|"[^"\\]*"))*;?').fullmatch
# Short forms that R4 itself lists beside MIME types (CapabilityStatement.format, _format).
_FORMATS = frozenset(["json", "xml", "ttl"])
# RFC 5646 section 2.1; grandfathered tags are listed because they break the grammar.
_LANGUAGE = re.compile(
    r"(?:(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})"
    r"(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
    r"(?:-[0-9a-wyz](?:-[a-z0-9]{2,8})+)*"
    r"(?:-x(?:-[a-z0-9]{1,8})+)?|x(?:-[a-z0-9]{1,8})+)",
    re.IGNORECASE,
).fullmatch
_GRANDFATHERED = frozenset(
    ["en-gb-oed", "i-ami", "i-bnn", "i-default", "i-enochian", "i-hak", "i-klingon", "i-lux",
     "i-mingo", "i-navajo", "i-pwn", "i-tao", "i-tay", "i-tsu", "sgn-be-fr", "sgn-be-nl",
     "sgn-ch-de", "art-lojban", "cel-gaulish", "no-bok", "no-nyn", "zh-guoyu", "zh-hakka",
     "zh-min", "zh-min-nan", "zh-xiang"]
)  # fmt: skip
# Active alphabetic codes of ISO 4217, funds and precious metals included.
_CURRENCIES = frozenset(
    ["AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT",
     "BGN", "BHD", "BIF", "BMD", "BND", "BOB", "BOV", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD",
     "CAD", "CDF", "CHE", "CHF", "CHW", "CLF", "CLP", "CNY", "COP", "COU", "CRC", "CUC", "CUP",
     "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP",
     "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HRK", "HTG", "HUF", "IDR",
     "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW",
     "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA",
     "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MXV", "MYR", "MZN", "NAD",
     "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG",
     "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE",
     "SLL", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP",
     "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "USN", "UYI", "UYU", "UYW", "UZS", "VED",
     "VES", "VND", "VUV", "WST", "XAF", "XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XCD", "XCG",
     "XDR", "XOF", "XPD", "XPF", "XPT", "XSU", "XTS", "XUA", "XXX", "YER", "ZAR", "ZMW", "ZWG",
     "ZWL"]
)  # fmt: skip


def is_mime_type(code: str) -> bool:
    """Whether a code is a media type with its parameters (RFC 6838), or json, xml, ttl."""
    return code in _FORMATS or _MIME(code) is not None


def is_language(code: str) -> bool:
    """Whether a code is a well-formed language tag (RFC 5646)."""
    return _LANGUAGE(code) is not None or code.lower() in _GRANDFATHERED


def is_currency(code: str) -> bool:
    """Whether a code is an alphabetic ISO 4217 currency."""
    return code in _CURRENCIES


SYNTAXES: Mapping[str, Callable[[str], bool]] = {
    "mime": is_mime_type,
    "bcp47": is_language,
    "ucum": is_ucum,
    "iso4217": is_currency,
}
# Code system that a Coding must name to be checked by a syntax.
SYSTEMS: Mapping[str, str] = {
    "mime": "urn:ietf:bcp:13",
    "bcp47": "urn:ietf:bcp:47",
    "ucum": "http://unitsofmeasure.org",
    "iso4217": "urn:iso:std:iso:4217",
}
