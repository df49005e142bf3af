"""`make conformance`: see command.py for what may be asked, docs/conformance.md for what came of it."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(
        Path(__file__).resolve().parent.parent
    )  # so that `conformance.` means this folder wherever it is run
    from conformance.command import main

    sys.exit(main())
