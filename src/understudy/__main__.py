"""The `understudy` command, also as `python -m understudy`: says which extra is missing where one is."""

from __future__ import annotations

import sys

EXTRAS = {"rich": "cli", "typer": "cli", "starlette": "serve", "uvicorn": "serve"}
"""What the command needs beside what a request needs, and the extra of this project that brings it."""

INTERRUPTED = 130
"""What shells take for "ended by Ctrl-C"."""


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    try:
        from understudy.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)  # Ctrl-C while still importing: nothing has begun that a traceback would explain
    except ModuleNotFoundError as missing:
        name = (missing.name or "").partition(".")[0]
        if name not in EXTRAS:
            raise
        sys.exit(f"{name} is not installed, which this command needs: pip install 'understudy[{EXTRAS[name]}]'")


if __name__ == "__main__":
    main()
