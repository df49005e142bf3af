"""How commands speak: text for people, JSON with `--json`, problems on standard error, and one set of exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from understudy.errors import ConfigurationError

OK = 0
FAILED = 1
ASKED_WRONGLY = 2

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]

PORT_MAX = 65535


def tell(text: str, data: Any, *, as_json: bool) -> None:
    """Say what came of it."""
    print(_json(data) if as_json else text)


def _json(data: Any) -> str:
    """JSON for reading, and for any encoding of the output: what that lacks is escaped, never replaced."""
    return json.dumps(data, indent=2, ensure_ascii=(sys.stdout.encoding or "").lower() != "utf-8")


def fail(problems: Sequence[str], *, as_json: bool, code: int = FAILED) -> NoReturn:
    """Say what went wrong, each problem on a line, and stop."""
    if as_json:
        print(_json({"ok": False, "problems": list(problems)}))
    else:
        for problem in problems:
            print(problem, file=sys.stderr)
    raise typer.Exit(code)


def write(path: Path, text: str, *, as_json: bool) -> None:
    """Put what was made into a file, or say why that cannot be."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        fail([f"{path}: cannot be written: {error.strerror}"], as_json=as_json)


@contextmanager
def told(*, as_json: bool) -> Iterator[None]:
    """Turn a configuration that cannot be used into its problems and exit code 2."""
    try:
        yield
    except ConfigurationError as error:
        fail(error.problems, as_json=as_json, code=ASKED_WRONGLY)


def columns(rows: Sequence[Sequence[str]], indent: str = "  ") -> str:
    """Rows as aligned columns."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))] if rows else []
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(indent + line for line in lines)
