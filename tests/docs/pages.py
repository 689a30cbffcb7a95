"""The modules of `docs/_ext`, which Sphinx finds by a path of its own."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

DOCS: Final = Path(__file__).parents[2] / "docs"


def extension(name: str) -> ModuleType:
    """Import a module of `docs/_ext`."""
    folder = str(DOCS / "_ext")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)
