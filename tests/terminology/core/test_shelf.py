"""What is kept of the record is bounded."""

from __future__ import annotations

from terminology.core.shelf import Shelf


def key(number: int) -> tuple[int, str, str, int]:
    return (1, "CodeSystem", str(number), 1)


def test_what_was_used_longest_ago_makes_room() -> None:
    shelf = Shelf(most=3)
    for number in range(3):
        shelf.put(key(number), number)
    assert shelf.get(key(0)) == 0
    shelf.put(key(3), 3)
    assert [shelf.get(key(number)) for number in range(4)] == [0, None, 2, 3]


def test_the_weight_of_all_is_bounded_and_one_heavy_piece_is_kept() -> None:
    shelf = Shelf(most_weight=10)
    shelf.put(key(0), "a", 6)
    shelf.put(key(1), "b", 6)
    assert shelf.get(key(0)) is None
    shelf.put(key(2), "c", 50)
    assert (shelf.get(key(1)), shelf.get(key(2))) == (None, "c")
    shelf.put(key(2), "c", 1)
    shelf.put(key(3), "d", 9)
    assert (shelf.get(key(2)), shelf.get(key(3))) == ("c", "d")
