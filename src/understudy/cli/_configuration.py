"""Which configuration a command works on: the file that is named, else `understudy.yaml`, else the keys in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from understudy.config import Configuration

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The configuration. Default: understudy.yaml here, else the provider keys in the environment.",
    ),
]


def read_configuration(path: Path | None) -> Configuration:
    """The configuration that is meant. Raises `ConfigurationError`."""
    from understudy.config.load import FILE, from_environment, load

    if path is not None:
        return load(path)
    return load(FILE) if Path(FILE).exists() else from_environment()
