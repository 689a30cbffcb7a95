"""A page of the pictures that notebooks and reports share."""

from __future__ import annotations

HEAD = """Pictures
========

Figures that reports are made of, for notebooks. Each is a matplotlib ``Figure`` outside pyplot: as
the last value of a cell it shows itself where ``%matplotlib inline`` is set. They may change
without notice.

.. currentmodule:: bayesmed.report.figures

"""


def picture_page() -> tuple[str, str]:
    """Return the page's path and its text."""
    from bayesmed.report import figures

    lines = [f".. autofunction:: {name}\n" for name in figures.__all__]
    return "pictures.rst", HEAD + "\n".join(lines)
