"""``python -m regviz`` is the command ``regviz``."""

from regviz.cli import main

if __name__ == "__main__":
    main()
