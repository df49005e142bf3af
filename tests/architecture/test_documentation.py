"""What documents say of each other and of the command line is so: links, anchors, commands and their options."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ROOT
from understudy.cli import Commands
from understudy.config.schema.kinds import Section

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if "reference" not in page.parts),  # those are generated
]
IDS = [str(page.relative_to(ROOT)) for page in PAGES]
COMMANDS = Commands(name="understudy")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_link_leads_somewhere(page: Path) -> None:
    for path, anchor in re.findall(r"\]\(([^)#\s:]*)(?:#([^)\s]*))?\)", page.read_text(encoding="utf-8")):
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{page.name} links to {path}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{page.name} links to {path}#{anchor}"


def asked(line: str) -> Iterator[tuple[str, list[str]]]:
    """The commands in a line, each with its options."""
    for words in re.findall(r"(?:`|^\$? ?)understudy ([a-z]+[^`#]*)", line):
        command, *rest = words.split()
        yield command, [word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)]


def options(command: str) -> set[str]:
    """Every option of a command and of those below it."""
    found = COMMANDS.get_command(None, command)
    every = [found, *getattr(found, "commands", {}).values()]
    return {option for one in every for parameter in one.params for option in parameter.opts} | {"--help", "-h"}


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_every_command_and_option_exists(page: Path) -> None:
    for line in page.read_text(encoding="utf-8").splitlines():
        for command, said in asked(line):
            assert command in COMMANDS.list_commands(None), line
            assert set(said) <= options(command), line


def test_the_readme_lists_every_command() -> None:
    listed = set(
        re.findall(r"^\| `understudy ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert listed == set(COMMANDS.list_commands(None))


def test_the_reference_has_every_section_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    generate = __import__("generate")
    told = {section for _, _, section in generate.SECTIONS}
    written = {section for section in below(Section) if section.__module__.startswith("understudy.config.schema.")}
    assert {one.__name__ for one in written - told} == {"RatesSection"}, "which others are made of"
    text = generate.configuration()
    for anchor in re.findall(r"\]\(#([a-z]+)\)", text):
        assert f"\n## {anchor}\n" in text
    del sys.modules["generate"]


def below(section: type[Section]) -> Iterator[type[Section]]:
    """Every section that is derived from this one."""
    for one in section.__subclasses__():
        yield one
        yield from below(one)
