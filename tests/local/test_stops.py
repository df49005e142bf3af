"""Stop sequences in a text that comes in pieces: whatever the pieces, what is shown is the text before the first of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.local.stops import StopCutter


def shown(pieces: list[str], stops: list[str]) -> tuple[str, str | None]:
    cutter = StopCutter(stops)
    text = "".join(map(cutter.feed, pieces))
    return text + ("" if cutter.met else cutter.rest()), cutter.met


def test_a_sequence_over_several_pieces_is_cut_off_and_nothing_of_it_was_shown() -> None:
    cutter = StopCutter(["###"])
    assert [cutter.feed(piece) for piece in ("one #", "#", "# two", " three")] == ["one ", "", "", ""]
    assert cutter.met == "###"


def test_what_only_began_like_a_sequence_is_shown_with_the_next_piece() -> None:
    cutter = StopCutter(["###"])
    assert [cutter.feed(piece) for piece in ("one ##", " two")] == ["one ", "## two"]
    assert cutter.met is None


def test_what_is_held_back_at_the_end_is_text() -> None:
    cutter = StopCutter(["###"])
    assert cutter.feed("one ##") == "one "
    assert cutter.rest() == "##"
    assert cutter.rest() == ""


def test_of_two_sequences_the_earlier_one_ends_the_text_and_of_two_at_one_place_the_longer_one() -> None:
    assert shown(["a b c"], ["c", "b"]) == ("a ", "b")
    assert shown(["a STOP!"], ["STOP", "STOP!"]) == ("a ", "STOP!")


def test_an_empty_sequence_ends_nothing() -> None:
    assert shown(["one", " two"], [""]) == ("one two", None)


@pytest.mark.parametrize("stops", [["ab"], ["aab", "b"], ["aaa", "ba"], ["abab", "bb", "aaaa"]])
@given(data=st.data())
def test_how_the_text_was_cut_makes_no_difference_to_what_is_shown(stops: list[str], data: st.DataObject) -> None:
    # Of overlapping sequences the one that is complete first may differ; where the text ends may not come later than in the
    # whole, and nothing of a sequence may be in it.
    pieces = data.draw(st.lists(st.text("ab ", max_size=4), max_size=8))
    text, met = shown(pieces, stops)
    whole = "".join(pieces)
    assert whole.startswith(text)
    assert not any(stop in text for stop in stops)
    assert (met is None) == (not any(stop in whole for stop in stops))
    if met is None:
        assert text == whole
    else:
        assert whole[len(text) :].startswith(met)
