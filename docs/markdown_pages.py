"""Markdown as the generated pages use it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTE = "<!-- Written by docs/generate.py: change what it reads, then run it. -->\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what would end a cell is escaped."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """The text as code; nothing for no text."""
    return f"`{text}`" if text else ""


def page(title: str, *parts: str) -> str:
    """A whole page."""
    return NOTE + f"\n# {title}\n\n" + "\n".join(part.rstrip("\n") + "\n" for part in parts)
