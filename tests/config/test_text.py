"""YAML as this project reads it: the 1.2 core schema, places for everything, bounds on everything."""

from __future__ import annotations

import math

import pytest

from understudy.config.text import Listing, Mapping, Place, Real, Scalar, Unreadable, read, resolve


def one(text: str) -> Scalar:
    root, faults = read(text)
    assert faults == []
    assert isinstance(root, Mapping)
    node = root.entries["a"]
    assert isinstance(node, Scalar)
    return node


def meaning(text: str):
    node = one(text)
    return resolve(node, node.text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("off", "off"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("7", 7),
        ("-7", -7),
        ("1e3", 1000.0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("'7'", "7"),
        ('"true"', "true"),
        ("!!str 7", "7"),
        ("|-\n  7", "7"),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(written, meant):
    found = meaning(f"a: {written}")
    assert (found, type(found).__mro__[-2]) == (meant, type(meant).__mro__[-2])


@pytest.mark.parametrize(("written", "check"), [(".inf", math.isinf), ("-.INF", math.isinf), (".nan", math.isnan)])
def test_numbers_without_end_are_read_so_that_they_can_be_refused(written, check):
    assert check(meaning(f"a: {written}"))


def test_a_number_remembers_its_digits():
    number = meaning("a: 0.30")
    assert isinstance(number, Real)
    assert number.text == "0.30"


def test_keys_are_words_whatever_they_look_like():
    root, _ = read("no: 1\n50: 2\ntrue: 3\n")
    assert isinstance(root, Mapping)
    assert list(root.entries) == ["no", "50", "true"]


def test_every_node_and_key_knows_its_place():
    root, _ = read("a:\n  - {b: 1}\n")
    assert isinstance(root, Mapping)
    listing = root.entries["a"]
    assert isinstance(listing, Listing)
    inner = listing.items[0]
    assert isinstance(inner, Mapping)
    assert (root.keys["a"], listing.place, inner.place) == (Place(1, 1), Place(2, 3), Place(2, 5))
    assert (inner.keys["b"], inner.entries["b"].place) == (Place(2, 6), Place(2, 9))


def test_a_duplicate_key_is_told_with_both_places():
    _, faults = read("a: 1\nb: 2\na: 3\n")
    assert [(fault.place, fault.message) for fault in faults] == [
        (Place(3, 1), "the key 'a' stands here a second time (first: line 1)")
    ]


def test_merge_keys_give_what_is_not_there_already():
    root, faults = read("x: &x {b: 1, c: 2}\na:\n  <<: *x\n  c: 3\n")
    assert faults == []
    assert isinstance(root, Mapping)
    merged = root.entries["a"]
    assert isinstance(merged, Mapping)
    assert {name: node.text for name, node in merged.entries.items() if isinstance(node, Scalar)} == {
        "b": "1",
        "c": "3",
    }


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("a: [1", "this is no YAML"),
        ("a:\n\t- b", "indent with spaces"),
        ("a: *b", "there is no anchor &b"),
        ("a: &a [*a]", "there is no anchor &a"),
        ("a: 1\n---\nb: 2", "a second document"),
        ("a: {b: ${X}}", 'a variable needs quotes: "${NAME}"'),
        ("a: " + "[" * 40, "nested deeper than 32"),
        ("a: \x07", "does not allow"),
        ('a: "\\UFFFFFFFF"', "cannot be read"),
        ("x" * 1_100_000, "larger than"),
    ],
)
def test_what_is_no_configuration_at_all_is_refused_at_its_place(text, phrase):
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert phrase in caught.value.message
    assert caught.value.place is not None or phrase in {"cannot be read", "larger than"}


def test_aliases_of_aliases_cannot_grow_without_bound():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(Unreadable, match="more than 50000 entries"):
        read("\n".join(lines))


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("a: !!python/object:os.system x", "the tag !!python/object:os.system is not used here"),
        ("a: !secret x", "the tag !secret is not used here"),
        ("a: !!int '7'", "the tag !!int is not used here"),
        ("? [1, 2]\n: x", "a key must be a word"),
        ("a:\n  <<: 7", "merges mappings only"),
        ('a: "\\ud800"', "half a surrogate pair"),
    ],
)
def test_what_a_configuration_never_needs_is_a_fault_at_its_place(text, phrase):
    _, faults = read(text)
    assert [phrase in fault.message for fault in faults] == [True]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~"])
def test_an_empty_document_is_no_node(text):
    assert read(text) == (None, [])
