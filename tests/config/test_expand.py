from __future__ import annotations

import pytest

from understudy.config.expand import Unset, expand

ENV = {"NAME": "value", "EMPTY": ""}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("plain", "plain"),
        ("$NAME", "$NAME"),
        ("${NAME}", "value"),
        ("a ${NAME}${NAME} b", "a valuevalue b"),
        ("${EMPTY}", ""),
        ("${EMPTY:-default}", "default"),
        ("${ABSENT:-default}", "default"),
        ("${ABSENT:-}", ""),
        ("${NAME:-default}", "value"),
        ("$${NAME}", "${NAME}"),
    ],
)
def test_variables_are_replaced(written, meant):
    assert expand(written, ENV) == meant


def test_what_a_variable_holds_is_not_expanded_again():
    assert expand("${A}", {"A": "${B}", "B": "no"}) == "${B}"


@pytest.mark.parametrize(
    ("written", "phrase"),
    [
        ("${ABSENT}", "the environment variable ABSENT is not set; set it, or give a default"),
        ("${}", "is written ${NAME}"),
        ("${1}", "is written ${NAME}"),
        ("${NAME", "is written ${NAME}"),
        ("${NAME:default}", "is written ${NAME}"),
    ],
)
def test_an_unset_variable_or_a_wrong_form_says_what_to_write(written, phrase):
    with pytest.raises(Unset) as caught:
        expand(written, ENV)
    assert phrase in str(caught.value)
