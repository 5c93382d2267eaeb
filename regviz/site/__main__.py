"""Write the site without a server.

python -m regviz.site build/site
python -m regviz.site build/site --docs build/docs  # with the documentation
python -m regviz.site build/site --base /regviz/    # for a host with the site at this path
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from regviz.lessons.course import course
from regviz.site.build import build
from regviz.site.gallery import gallery


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the site to the folder that the arguments name."""
    parser = argparse.ArgumentParser("python -m regviz.site", description="Write the site.")
    parser.add_argument("folder", type=Path, help="a new folder, or one with an earlier site")
    parser.add_argument("--docs", type=Path, help="a folder with the documentation as HTML")
    parser.add_argument("--base", default="", help="path of the site on its host, as /regviz/")
    parser.add_argument(
        "--repository", default="", metavar="URL", help="address of the source code, for git clone"
    )
    options = parser.parse_args(arguments)
    try:
        build(
            options.folder,
            course(),
            gallery(),
            options.docs,
            options.base,
            options.repository,
            print,
        )
    except (ImportError, ValueError) as error:
        parser.error(str(error))
    files = [path for path in options.folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    print(f"{options.folder}: {len(files)} files, {size:.1f} MB")


if __name__ == "__main__":
    main()
