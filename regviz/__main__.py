"""``python -m regviz`` is the command ``regviz``."""

import sys

from regviz.cli import main

if __name__ == "__main__":
    sys.exit(main())
