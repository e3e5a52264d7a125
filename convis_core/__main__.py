"""``python -m convis_core``: a retina on the command line."""

import sys

from convis_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
