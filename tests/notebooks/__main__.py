"""Run notebooks in place and keep their outputs.

python -m tests.notebooks              # all
python -m tests.notebooks 02_class_size.ipynb
"""

from __future__ import annotations

import sys

import nbformat

from tests.notebooks.running import FOLDER, executed, names, warned


def main(wanted: list[str]) -> None:
    """Run the wanted notebooks, or all of them."""
    for name in wanted or names():
        notebook, seconds = executed(name)
        # The version of Python is no news of a notebook.
        notebook.metadata["language_info"] = {"name": "python"}
        nbformat.write(notebook, FOLDER / name)
        size = (FOLDER / name).stat().st_size / 1000
        print(f"{name}: {seconds:.0f} s, {size:.0f} kB", *warned(notebook), sep="\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
