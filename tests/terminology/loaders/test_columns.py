"""What columns mean, guessed and told."""

from __future__ import annotations

import pytest

from terminology.loaders.columns import parse_choice, read_columns
from terminology.loaders.problems import FileRefused


@pytest.mark.parametrize(
    ("header", "code", "display"),
    [
        ("主要编码,附加编码,疾病名称", 0, 2),
        ("序号,诊断代码,诊断名称", 1, 2),
        ("手术操作编码,手术操作名称,类别", 0, 1),
        ("LOINC_NUM,COMPONENT,Long_Common_Name,name", 0, 3),
        ("Code,Display", 0, 1),
        ("name,code", 1, 0),
        ("＊编码,名称＊", 0, 1),
        ("id,code,label", 1, 2),
        ("值,值含义,说明", 0, 1),
    ],
)
def test_columns_are_known_by_their_names(header: str, code: int, display: int) -> None:
    found = read_columns(header.split(","), {})
    assert (found.code, found.display) == (code, display)


def test_what_is_said_wins_over_what_is_guessed() -> None:
    header = ["编码", "名称", "国标码", "英文名", "备注"]
    choice = parse_choice("code=国标码，display=名称,fr=英文名,-=备注")
    found = read_columns(header, choice)
    assert (found.code, found.display) == (2, 1)
    assert dict(found.languages) == {"fr": 3}
    assert dict(found.properties) == {"编码": 0}


def test_columns_may_be_named_by_number_and_made_properties() -> None:
    found = read_columns(["编码", "名称", "附加 编码"], parse_choice("code=1,asterisk=3"))
    assert dict(found.properties) == {"asterisk": 2}
    assert dict(read_columns(["code", "a b|c"], {}).properties) == {"a-b-c": 1}


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("code", "terminology-columns-syntax"),
        ("=a", "terminology-columns-syntax"),
        ("code=a,code=b", "terminology-columns-syntax"),
        ("code=nothing", "terminology-column-missing"),
        ("code=code,display=code", "terminology-columns-twice"),
        ("a b=name", "terminology-columns-syntax"),
    ],
)
def test_a_choice_that_does_not_fit_is_refused(choice: str, message: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read_columns(["code", "name"], parse_choice(choice))
    assert refused.value.problems.found[0].message == message


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(FileRefused):
        read_columns(["code", "name", "备注", "备注"], {})
