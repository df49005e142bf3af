"""`make bench`: see command.py for what may be asked, README.md for what it means."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # so that `bench.` means this folder wherever it is run
    from bench.command import main

    sys.exit(main())
