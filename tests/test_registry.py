"""A folder is a registry: listing, lazy import, settings and their errors, third parties, reference pages."""

from __future__ import annotations

import importlib
import pickle
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from understudy import registry
from understudy.registry import BadEntry, BadSettings, Registry, UnknownName

FILES = {
    "__init__": "",
    "_shared": "SOUND = Exception('not an entry')",
    "drum": '''
        """Keeps the beat.

        Formula: loud = 11.
        """

        from __future__ import annotations

        from dataclasses import dataclass, field
        from typing import Literal

        @dataclass(slots=True)
        class Skin:
            """`tension`: newtons."""

            tension: float = 1.0

        @dataclass(slots=True, kw_only=True)
        class Drum:
            """A drum. `loud`: how much, decibels;
            more hurts. `stick`, `other_stick`: what it is
            beaten with.

            `skin`: what it is covered with. More `words` follow here.
            """

            loud: float
            stick: Literal["wood", "brush"] = "wood"
            other_stick: str | None = None
            skin: Skin | None = None
            beats: tuple[int, ...] = field(default_factory=tuple)

            def __post_init__(self) -> None:
                if self.loud > 100:
                    raise ValueError("`loud` must be at most 100")

        INSTRUMENT = Drum
    ''',
    "triangle": '"""A finished object."""\nINSTRUMENT = object()',
    "mute": '"""No export."""',
    "bare": '"""A class that declares nothing."""\nclass INSTRUMENT: ...',
    "silent": "INSTRUMENT = 1",
}


@pytest.fixture
def band(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry[Any]]:
    """A registry over a package of its own, which nothing has imported yet."""
    folder = tmp_path / "orchestra" / "band"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    for stem, text in FILES.items():
        (folder / f"{stem}.py").write_text(textwrap.dedent(text))
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield Registry("orchestra.band", "INSTRUMENT", kind="instrument")
    for name in [name for name in sys.modules if name.split(".")[0] in {"orchestra", "visitor"}]:
        del sys.modules[name]


@pytest.fixture
def visitor(band: Registry[Any], tmp_path: Path) -> Iterator[Path]:
    """Another distribution, as if it were installed; gives its list of entry points."""
    (tmp_path / "visitor.py").write_text('"""Comes from afar."""\nINSTRUMENT = "kazoo"\nOTHER = "spoons"\n')
    info = tmp_path / "visitor-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: visitor-band\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[understudy.band]\nkazoo = visitor\nspoons = visitor:OTHER\n\n[understudy.choir]\nalto = visitor\n"
    )
    registry._found.cache_clear()
    yield info / "entry_points.txt"
    registry._found.cache_clear()


def test_another_process_is_told_what_others_offer(
    band: Registry[Any], visitor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = pickle.loads(pickle.dumps(registry.visitors()))
    visitor.write_text("")
    registry._found.cache_clear()
    monkeypatch.setattr(registry, "_known", None)
    assert "kazoo" not in band
    registry.know(found)
    assert [name for name in band if name in {"kazoo", "spoons"}] == ["kazoo", "spoons"]
    assert band.build("spoons") == "spoons"
    assert band.describe("kazoo").source == "visitor"


def test_listing_names_imports_no_entry(band: Registry[Any]) -> None:
    assert band.names() == ("bare", "drum", "mute", "silent", "triangle")
    assert list(band) == list(band.names())
    assert "drum" in band
    assert "_shared" not in band
    assert not any(name.startswith("orchestra.band.") for name in sys.modules)


def test_asking_for_one_entry_imports_that_one_only(band: Registry[Any]) -> None:
    band.build("drum", {"loud": 3})
    assert [name for name in sys.modules if name.startswith("orchestra.band.")] == ["orchestra.band.drum"]


def test_settings_become_fields_with_their_types(band: Registry[Any]) -> None:
    drum = band.build("drum", {"loud": 3, "stick": "brush", "beats": [1, 2], "skin": {"tension": 2}})
    assert (drum.loud, drum.stick, drum.beats, drum.skin.tension) == (3.0, "brush", (1, 2), 2.0)


def test_an_object_needs_no_building_and_is_the_same_each_time(band: Registry[Any]) -> None:
    assert band.build("triangle") is band.build("triangle") is band.entry("triangle")


@pytest.mark.parametrize(
    ("settings", "setting", "words"),
    [
        ({"loud": "very"}, "loud", "instrument drum: loud: expected `float`, got `str`"),
        ({}, "loud", "instrument drum: loud: must be given"),
        (
            {"loud": 3, "stik": "wood"},
            "stik",
            "no setting 'stik'; did you mean 'stick'? Known: loud, stick, other_stick",
        ),
        ({"loud": 3, "stick": "bone"}, "stick", "must be one of wood, brush, not 'bone'"),
        ({"loud": 3, "skin": {"tensoin": 1}}, "skin.tensoin", "did you mean 'skin.tension'?"),
        ({"loud": 3, "skin": {"tension": []}}, "skin.tension", "expected `float`, got `array`"),
        ({"loud": 3, "beats": ["x"]}, "beats[0]", "expected `int`, got `str`"),
        ({"loud": 101}, "", "`loud` must be at most 100"),
        ({"loud": 3, 7: 1}, "7", "no setting '7'"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_wanted(
    band: Registry[Any], settings: Any, setting: str, words: str
) -> None:
    with pytest.raises(BadSettings) as error:
        band.build("drum", settings)
    assert words in str(error.value)
    assert error.value.setting == setting


def test_settings_for_an_object_are_refused(band: Registry[Any]) -> None:
    with pytest.raises(BadSettings, match="triangle: takes no settings, but 'loud' was given"):
        band.build("triangle", {"loud": 1})


def test_an_unknown_name_is_answered_with_the_nearest_and_all(band: Registry[Any]) -> None:
    with pytest.raises(UnknownName, match=r"no instrument 'drumm'; did you mean 'drum'\? Known: bare, drum, mute"):
        band.build("drumm")
    with pytest.raises(UnknownName, match=r"no instrument 'xyz'\. Known"):
        band.build("xyz")


@pytest.mark.parametrize("spec", ["drum", {"drum": None}, {"drum": {}}])
def test_a_configuration_value_names_an_entry(band: Registry[Any], spec: Any) -> None:
    with pytest.raises(BadSettings, match="loud: must be given"):
        band.read(spec)
    assert band.read({"drum": {"loud": 2}}).loud == 2
    assert band.read("triangle") is band.entry("triangle")


@pytest.mark.parametrize("spec", [None, 3, {}, {"a": {}, "b": {}}, {"drum": 3}, {1: {}}, ["drum"]])
def test_any_other_configuration_value_is_refused(band: Registry[Any], spec: Any) -> None:
    with pytest.raises(BadSettings, match="a instrument is written as its name"):
        band.read(spec)


@pytest.mark.parametrize(("name", "words"), [("mute", "has no INSTRUMENT"), ("bare", "make it a dataclass")])
def test_a_module_that_is_no_entry_blames_its_author(band: Registry[Any], name: str, words: str) -> None:
    with pytest.raises(BadEntry, match=words):
        band.build(name)


def test_a_page_tells_name_line_text_and_every_setting(band: Registry[Any]) -> None:
    page = band.describe("drum")
    assert (page.name, page.line, page.text) == ("drum", "Keeps the beat.", "Formula: loud = 11.")
    assert [(each.name, each.type, each.default, each.text) for each in page.settings] == [
        ("loud", "float", None, "how much, decibels; more hurts."),
        ("stick", "Literal['wood', 'brush']", "'wood'", "what it is beaten with."),
        ("other_stick", "str | None", "None", "what it is beaten with."),
        ("skin", "Skin | None", "None", "what it is covered with. More `words` follow here."),
        ("beats", "tuple[int, ...]", "()", ""),
    ]
    assert band.describe("triangle").settings == ()
    with pytest.raises(BadEntry, match="no docstring"):
        band.describe("silent")


def test_third_parties_enter_by_the_same_door(band: Registry[Any], visitor: Path) -> None:
    assert band.names() == ("bare", "drum", "kazoo", "mute", "silent", "spoons", "triangle")
    assert "kazoo" in band
    assert "alto" not in band
    assert band.build("kazoo") == "kazoo"
    assert band.build("spoons") == "spoons"
    assert band.describe("kazoo").line == "Comes from afar."
    assert band.describe("kazoo").source == "visitor"


def test_a_third_party_cannot_take_a_name_of_ours(band: Registry[Any], visitor: Path) -> None:
    visitor.write_text("[understudy.band]\ndrum = visitor\n")
    with pytest.raises(BadEntry, match="visitor-band offers the instrument 'drum'"):
        band.names()
    assert band.describe("drum").source == "orchestra.band.drum"
