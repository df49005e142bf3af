"""What the troubleshooting page quotes is what the program says."""

from __future__ import annotations

import re

import pytest

from conftest import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
FIRST_CELLS = [
    row.split("|")[1] for row in PAGE.splitlines() if row.startswith("| ") and not row.startswith("| what you")
]
QUOTED = sorted({words for cell in FIRST_CELLS for words in re.findall(r"`([^`]+)`", cell)})


def test_there_is_something_to_check() -> None:
    assert len(QUOTED) > 15


@pytest.mark.parametrize("words", QUOTED)
def test_the_program_says_so(words: str) -> None:
    pieces = [
        piece for piece in re.split(r"\.\.\.|: open|: true|^x-understudy-|: cannot do|:$", words) if piece.strip(" :")
    ]
    assert pieces
    for piece in pieces:
        assert piece.strip(" :") in SOURCES
