"""Which word is shown, and which are right, by language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terminology.core.languages import fitting, is_display, languages, shown
from terminology.core.shapes import Designation

WORDS = [
    Designation("糖尿病", "zh-CN"),
    Designation("糖尿病（繁）", "zh-TW"),
    Designation("Diabetes", "de"),
    Designation("Sugar sickness", "en", {"system": "http://example.org/uses", "code": "old"}),
]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", "Diabetes mellitus"),
        ("en", "Diabetes mellitus"),
        ("en-GB", "Diabetes mellitus"),
        ("zh-CN", "糖尿病"),
        ("zh", "糖尿病"),
        ("zh-HK", "糖尿病"),
        ("zh-TW,zh;q=0.8", "糖尿病（繁）"),
        ("zh;q=0.1, de;q=0.9", "Diabetes"),
        ("fr", "Diabetes mellitus"),
        ("fr,*", "Diabetes mellitus"),
        ("fr,*;q=0", ""),
        ("fr, *; q=0", ""),
        ("fr,de,*;q=0", "Diabetes"),
        ("de;q=0", "Diabetes mellitus"),
        ("de;q=x", "Diabetes"),
        (";;,,q=", "Diabetes mellitus"),
    ],
)
def test_the_best_word_is_shown(asked: str, expected: str) -> None:
    assert shown("Diabetes mellitus", "en", WORDS, languages(asked)).display == expected


def test_the_display_stands_among_the_others_when_another_word_is_shown() -> None:
    word = shown("Diabetes mellitus", "en", WORDS, languages("de"))
    assert [one.value for one in word.others] == [
        "Diabetes mellitus",
        "糖尿病",
        "糖尿病（繁）",
        "Sugar sickness",
    ]
    assert word.others[0].use["code"] == "preferredForLanguage"


def test_a_word_for_another_use_is_no_display() -> None:
    assert [is_display(one) for one in WORDS] == [True, True, True, False]
    old = [Designation("alt", "de", {"system": "x", "code": "y"})]
    assert shown("Word", "en", old, languages("de")).display == "Word"


def test_a_display_without_a_language_stands_in_for_any() -> None:
    assert shown("Word", "", [], languages("de,*;q=0")).display == "Word"
    assert fitting([("Word", ""), ("Wort", "de"), ("词", "zh")], languages("de")) == [
        ("Word", ""),
        ("Wort", "de"),
    ]


def test_what_is_too_long_to_be_a_header_asks_for_nothing() -> None:
    assert not languages("de," * 10_000).tags


@given(st.text(max_size=60))
def test_no_header_is_an_error(asked: str) -> None:
    found = languages(asked)
    assert found.score("zh-CN") >= 0
    shown("Word", "en", WORDS, found)
