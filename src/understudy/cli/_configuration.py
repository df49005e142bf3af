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


def cannot_be_asked(configuration: Configuration) -> dict[str, str]:
    """The targets whose key cannot be read here, each with a sentence that says so."""
    return {name: f"{name} cannot be asked: {wrong}" for name, wrong in key_problems(configuration).items() if wrong}


def key_problems(configuration: Configuration) -> dict[str, str]:
    """What is wrong with the key of each target that has one; "" when it can be read."""
    from understudy.config.secrets import CredentialUnavailable, Vault

    vault = Vault(folder=Path(configuration.source).parent if configuration.source else None)
    states: dict[str, str] = {}
    for target in configuration.targets.values():
        if target.key is None or target.key_is_issued:  # whether a source hands out anything, `check --probe` tells
            continue
        try:
            vault.look(target.key)
            states[target.name] = ""
        except CredentialUnavailable as error:
            states[target.name] = str(error)
    return states
