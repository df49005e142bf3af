"""Values made to fit a schema do fit it."""

from __future__ import annotations

from typing import Any

import pytest

from understudy.core.dice import Dice
from understudy.mock.example import LOREM, example


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        ({"const": 5}, 5),
        ({"enum": ["only"]}, "only"),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"], "minimum": 3}, 3),
        ({"type": "number", "exclusiveMinimum": 1.5}, 2.5),
        ({"type": "integer", "maximum": 2}, 2),
        ({"type": "string", "format": "date"}, "2026-01-31"),
        ({"anyOf": [{"const": 1}, {"const": 2}]}, 1),
        ({"type": "array", "minItems": 2, "items": {"const": 0}}, [0, 0]),
        ({"properties": {"a": {"const": 1}, "b": {"const": 2}}, "required": ["a"]}, {"a": 1, "b": 2}),
        ({"$ref": "#/$defs/x~1y", "$defs": {"x/y": {"const": "found"}}}, "found"),
        ({"$ref": "#/$defs/lost"}, None),
        ({"$ref": "elsewhere.json"}, None),
        (True, None),
    ],
)
def test_a_value_fits_its_schema(schema: Any, made: Any) -> None:
    assert example(schema, Dice(1)) == made


def test_strings_are_words_of_the_length_asked_for() -> None:
    assert example({"type": "string"}, Dice(1)) in LOREM
    assert len(example({"type": "string", "minLength": 40}, Dice(1))) == 40
    assert len(example({"type": "string", "maxLength": 1}, Dice(1))) == 1


def test_a_schema_that_contains_itself_ends() -> None:
    node = {"type": "object", "properties": {"value": {"const": 1}, "next": {"$ref": "#"}}, "required": ["value"]}
    made, depth = example(node, Dice(1)), 0
    while "next" in made:
        made, depth = made["next"], depth + 1
    assert made == {"value": 1}
    assert depth < 12
    assert example({"$ref": "#"}, Dice(1)) is None
