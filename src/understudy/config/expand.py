"""`${NAME}` and `${NAME:-default}` in the values of a configuration, read from the environment; `$${` writes `${`."""

from __future__ import annotations

import re
from collections.abc import Mapping

_FORM = re.compile(r"\$\$\{|\$\{(?P<name>[^}:]*)(?P<default>:-[^}]*)?\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Unset(ValueError):
    """A variable that is not set, or a form that names none. The message says what to write."""


def expand(text: str, env: Mapping[str, str]) -> str:
    """The text with every variable replaced. A default stands in for an unset or empty variable. Raises `Unset`."""
    if "${" not in text:
        return text

    def one(found: re.Match[str]) -> str:
        if found[0] == "$${":
            return "${"
        name, default = found["name"], found["default"]
        if name is None or not _NAME.fullmatch(name):
            raise Unset("a variable is written ${NAME} or ${NAME:-default}; a literal ${ is written $${")
        if name in env and (env[name] or default is None):
            return env[name]
        if default is None:
            raise Unset(f"the environment variable {name} is not set; set it, or give a default: ${{{name}:-...}}")
        return default[2:]

    return _FORM.sub(one, text)
