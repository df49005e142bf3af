"""Print the version, and what it runs on."""

from __future__ import annotations

import platform

from understudy import __version__
from understudy.cli._output import Json, tell


def command(as_json: Json = False) -> None:
    """Tell the version."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {platform.machine()}"
    tell(
        f"understudy {__version__} ({python}, {system})",
        {"understudy": __version__, "python": python, "system": system},
        as_json=as_json,
    )
