"""Folding and words: what is the same to a search."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.search import folding
from hub.search.folding import (
    fold,
    fold_contact,
    has_han,
    matches_string,
    query_words,
    suffixes,
    words,
    words_of_all,
)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Eve", "eve"),
        ("Müller", "muller"),
        ("MÜLLER", "muller"),
        ("Straße", "strasse"),
        ("Ｊｏｈｎ　Ｄｏｅ", "john doe"),
        ("  Peter \t James ", "peter james"),
        ("É", "e"),
        ("ｶﾞｸ", "カク"),
        ("张小明", "张小明"),
        ("２０２６年", "2026年"),
        ("ﬁne", "fine"),
        ("İstanbul", "istanbul"),
        ("\u0301", ""),
        ("", ""),
    ],
)
def test_case_accents_width_and_space_make_no_difference(written: str, folded: str) -> None:
    assert fold(written) == folded


def test_folding_twice_is_folding_once_for_every_character() -> None:
    for point in range(0x30000):
        if not 0xD800 <= point < 0xE000:
            once = fold(chr(point))
            assert fold(once) == once, hex(point)


def test_a_han_name_is_found_from_any_of_its_characters_on() -> None:
    assert suffixes("张小明") == ["张小明", "小明", "明"]
    for sought in ("张", "张小", "张小明", "小明", "明", "小"):
        assert matches_string("张小明", sought)
    for sought in ("张明", "李", "明张"):
        assert not matches_string("张小明", sought)


def test_a_latin_name_is_found_from_its_start_only() -> None:
    assert suffixes("severine") == ["severine"]
    assert suffixes("müller".casefold()) == ["müller"]
    assert matches_string("eve smith", "eve")
    assert not matches_string("severine", "eve")
    assert not matches_string("eve smith", "smith")


def test_a_mixed_string_is_found_from_its_han_characters() -> None:
    assert suffixes("dr 张明 2") == ["dr 张明 2", "张明 2", "明 2"]


def test_the_suffixes_of_a_long_string_are_bounded() -> None:
    assert len(suffixes("张" * 5000)) == 48


def test_han_is_told_from_other_scripts() -> None:
    assert has_han("张")
    assert has_han("a〇")
    assert not has_han("abc")
    assert not has_han("ひらカタ한글")


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("138 0013-8000", "13800138000"),
        ("+86 (10) 1234.5678", "+861012345678"),
        ("A.B@Example.ORG", "a.b@example.org"),
        ("https://Example.org", "https://example.org"),
        ("12", "12"),
    ],
)
def test_contacts_are_the_same_without_separators_and_case(written: str, folded: str) -> None:
    assert fold_contact(written) == folded


def test_words_are_runs_of_letters_and_digits_or_pairs_of_han() -> None:
    assert words("Blood pressure, blood: 120/80") == ["blood", "pressure", "120", "80"]
    assert words("高血压 BP") == ["高", "血", "压", "高血", "血压", "bp"]
    assert query_words("高血压 BP") == ["高血", "血压", "bp"]
    assert query_words("糖") == ["糖"]
    assert query_words("!?") == []


@pytest.mark.parametrize(
    "text", ["高血压二级", "a 高 b", "カタカナ語", "Ünïcode Wörds 12", "x" * 9]
)
def test_what_is_asked_is_among_what_is_indexed(text: str) -> None:
    assert set(query_words(text)) <= set(words(text))
    for start in range(len(text)):
        if has_han(text[start]):
            assert set(query_words(text[start : start + 2].strip())) <= set(words(text))


@pytest.mark.parametrize("first", range(0x4E00, 0xA000, 0x800))
def test_the_short_way_of_common_text_is_the_long_way(first: int) -> None:
    for letter in [*map(chr, range(0x80)), *map(chr, range(first, min(first + 0x800, 0xA000)))]:
        text = f"Ab {letter}c"
        assert folding.fold(text) == folding._fold_unicode(text)


@given(st.lists(st.text(st.sampled_from("aB9_ -.é\u0301张明〇〻のガｶﾞＡ\t\n")) | st.text()))
def test_texts_give_together_the_words_of_all_of_them_in_order(texts: list[str]) -> None:
    assert words_of_all(texts) == words(" \n".join(texts))


@given(st.text(st.sampled_from("abcXYZ019 _-.,/\n张小明龥\u4e00\u9fff")))
def test_common_han_takes_no_other_way_than_rare_han(text: str) -> None:
    rare = words(text + " 〇")
    assert words(text) == [word for word in rare if word != "〇"]
