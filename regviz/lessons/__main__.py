"""Runs `regviz.lessons.compute` as ``python -m regviz.lessons``."""

import sys

from regviz.lessons.compute import main  # in another module, which worker processes can import

if __name__ == "__main__":
    sys.exit(main())
