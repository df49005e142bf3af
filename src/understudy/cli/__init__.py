"""The `understudy` command. A folder of commands: one module each, loaded when it is asked for.

The module's stem is the command, its function `command` does it, and the first line of the module's docstring is its line in
the help. What is heavy (the engine, the configuration's schema) is imported inside the function. Modules that begin with `_`
are shared code.

Exit codes, for every command: 0 it worked, 1 it did not, 2 it was asked wrongly (usage or configuration).
"""

from __future__ import annotations

import inspect
import pkgutil
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from understudy import __version__


class Commands(TyperGroup):
    """The commands of this folder."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  the framework's signature
        """Every command, sorted."""
        return sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_"))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name; None when there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = import_module(f"{__name__}.{cmd_name}")
        one = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        parts = getattr(module, "parts", {})
        if parts:  # commands under this one, which by itself does `command`
            one.callback(invoke_without_command=True, help=_paragraphs(module))(module.command)
            for name, part in parts.items():
                one.command(name=name, help=_paragraphs(part))(part)
        else:
            one.command(name=cmd_name, help=_paragraphs(module))(module.command)
        command = get_command(one)
        command.name = cmd_name
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Know every command before an unknown one is reported, so that the nearest can be suggested."""
        self.commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx) if name != args[0]}
        return super().resolve_command(ctx, args)


def _paragraphs(documented: object) -> str:
    """A docstring with one line to a paragraph: the terminal breaks lines, and source files are wider than most of them."""
    told = inspect.getdoc(documented) or ""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in told.split("\n\n"))


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"understudy {__version__}")
        raise typer.Exit


@app.callback(
    help="A router for LLM providers with fallback: the best working target answers, and every choice can be explained."
)
def _understudy(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options before the command."""


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that cannot show every letter shows the others
            stream.reconfigure(errors="replace")
    try:
        app()
    except BrokenPipeError:
        # The reader of our output left (`understudy check | head`): nobody is there to be told anything.
        sys.stderr.close()
        sys.exit(1)
