"""Folding of strings and splitting of text into words: one definition for index and query.

A string search ignores case, accents, width and surplus white space
(https://hl7.org/fhir/R4/search.html#string). Beyond the specification, Han text is also found
from the middle: the default match is a prefix of the folded value or of any of its `suffixes`,
so that `name=小明` finds 张小明. Called by `hub.search.extract`, `hub.search.parse` and stores.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain

_MOST_SUFFIXES = 48
"""Han suffixes start within this many characters; bounds the rows of one string."""

_SHORT = 64
_LABEL = 128
"""Longer strings are not remembered, which bounds the memory."""

_HAN_RANGES = (
    "\u3005-\u3007"  # iteration mark, closing mark, ideographic zero
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U000323af"
)
_HAN = re.compile(f"[{_HAN_RANGES}]")
_UNSPACED_RANGES = f"{_HAN_RANGES}\u3040-\u30ff\u31f0-\u31ff"
"""Scripts written without spaces whose words are taken as bigrams: Han and Kana."""
_INVARIANT = re.compile("[\x00-\x7f\u4e00-\u9fff]*").fullmatch
"""ASCII and the common Han characters: none has a decomposition, and only ASCII has case."""
_WORD = re.compile(f"[{_UNSPACED_RANGES}]+|[^\\W_{_UNSPACED_RANGES}]+")
_UNSPACED = re.compile(f"[{_UNSPACED_RANGES}]")
_PLAIN_WORD = re.compile(r"[a-z0-9]+")
_COMMON_WORD = re.compile("[a-z0-9]+|[\u4e00-\u9fff]+")
_FIRST_HAN = "\u4e00"
_CALL_NUMBER = re.compile(r"\+?[\d\s().\-/]+")
_NOT_DIGIT = re.compile(r"[^\d+]")


def fold(text: str) -> str:
    """A string without case, accents, width and surplus white space; idempotent.

    Short ones are remembered: one write folds a name half a dozen times.

    Args:
        text: Any string.
    """
    return _fold_short(text) if len(text) <= _SHORT else _fold(text)


def _fold(text: str) -> str:
    if text.isascii() or _INVARIANT(text):
        return " ".join(text.lower().split())
    return _fold_unicode(text)


def _fold_unicode(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = "".join(
        mark for mark in unicodedata.normalize("NFKD", folded) if unicodedata.category(mark) != "Mn"
    )
    again = unicodedata.normalize("NFKC", bare.casefold())
    return " ".join(again.split())


_fold_short = lru_cache(maxsize=16384)(_fold)


def fold_label(text: str) -> str:
    """`fold` for texts that come again and again: displays of codes."""
    return _fold_label(text) if len(text) <= _LABEL else fold(text)


_fold_label = lru_cache(maxsize=8192)(fold)


def has_han(text: str) -> bool:
    """True if the text holds a Han character."""
    return not text.isascii() and _HAN.search(text) is not None


def suffixes(folded: str) -> list[str]:
    """What a folded string is found by: itself, and what follows from each Han character on.

    The first entry is always the whole string. Without Han there is no other.

    Args:
        folded: A result of `fold`.
    """
    if folded.isascii():
        return [folded]
    return [
        folded,
        *(
            folded[found.start() :]
            for found in _HAN.finditer(folded, 1, min(len(folded), _MOST_SUFFIXES))
        ),
    ]


def matches_string(folded: str, sought: str) -> bool:
    """The default string match: `sought` starts the string or one of its suffixes.

    Args:
        folded: The indexed string, folded.
        sought: The search value, folded.
    """
    return folded.startswith(sought) or any(
        suffix.startswith(sought) for suffix in suffixes(folded)
    )


def fold_contact(text: str) -> str:
    """A phone number without its separators, or a folded e-mail address or url.

    Args:
        text: ContactPoint.value, or what it is searched by.
    """
    folded = fold(text)
    if folded.isdecimal() and len(folded) > 2:
        return folded
    if _CALL_NUMBER.fullmatch(folded) and len(digits := _NOT_DIGIT.sub("", folded)) > 2:
        return digits
    return folded


def words(text: str) -> list[str]:
    """Words of a text as they are indexed: no duplicates, in order.

    Runs of letters and digits are words. Han and Kana, written without spaces, give each
    character and each pair of neighbours.

    Args:
        text: Any text; it is folded here.
    """
    return list(dict.fromkeys(_words(text)))


def words_of_all(texts: Iterable[str]) -> list[str]:
    """`words` of several texts together.

    Args:
        texts: In any order; short ones, which come again and again, are remembered.
    """
    return list(
        dict.fromkeys(
            chain.from_iterable(
                [_words_short(text) if len(text) <= _SHORT else _words(text) for text in texts]
            )
        )
    )


def _words(text: str) -> tuple[str, ...]:
    """Words in order, with duplicates."""
    if text.isascii():
        return tuple(_PLAIN_WORD.findall(text.lower()))
    found: list[str] = []
    if _INVARIANT(text):
        for word in _COMMON_WORD.findall(text.lower()):
            if word[0] < _FIRST_HAN:
                found.append(word)
            else:
                found += word
                found += _pairs(word)
        return tuple(found)
    for word in _WORD.findall(fold(text)):
        if _UNSPACED.match(word):
            found += word
            found += _pairs(word)
        else:
            found.append(word)
    return tuple(found)


_words_short = lru_cache(maxsize=8192)(_words)


def query_words(text: str) -> list[str]:
    """Words that a text must hold to match: pairs for Han and Kana, a lone character itself.

    Args:
        text: The search value; it is folded here.
    """
    found: dict[str, None] = {}
    for word in _WORD.findall(fold(text)):
        if len(word) > 1 and _UNSPACED.match(word):
            found.update(dict.fromkeys(_pairs(word)))
        else:
            found[word] = None
    return list(found)


def _pairs(word: str) -> list[str]:
    return [word[place : place + 2] for place in range(len(word) - 1)]
