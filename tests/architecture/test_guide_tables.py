"""The tables within guides are those of the program, and leave out no failure."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import pytest

from conftest import ROOT
from understudy.core.failure import TABLE, FailureKind
from understudy.core.route import TIERS

DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    """docs/guide_tables.py, which is no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        spec = spec_from_file_location("guide_tables", DOCS / "guide_tables.py")
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules.pop("markdown_pages", None)
    return module


def test_every_guide_has_its_tables_as_they_are_now(tables: ModuleType) -> None:
    for name in tables.INLAID:
        assert (DOCS / name).read_text("utf-8") == tables.inlay(DOCS / name), "run: python docs/generate.py"


@pytest.mark.parametrize("name", ["what-next", "who-rests", "statuses"])
def test_a_table_of_failures_has_each_kind_once(tables: ModuleType, name: str) -> None:
    told = "".join(line.rpartition(" | ")[2] for line in tables.TABLES[name]().splitlines())
    assert [kind.value for kind in FailureKind if told.count(f"`{kind.value}`") != 1] == []


def test_every_table_is_shown(tables: ModuleType) -> None:
    shown = "".join((DOCS / name).read_text("utf-8") for name in tables.INLAID)
    assert [name for name in tables.TABLES if f"<!-- table: {name} -->" not in shown] == []


def test_what_is_counted_and_what_rests_is_the_tables_word(tables: ModuleType) -> None:
    counted, rests = tables.counted(), tables.rests()
    for kind, row in TABLE.items():
        assert (f"`{kind.value}`" in counted) is row.counts
        assert (f"`{kind.value}`" in rests) is bool(row.cool_down_s)
    assert all(f"`{tier}`" in tables.tiers() for tier in TIERS)
