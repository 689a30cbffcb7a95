"""Figures as SVG to stand inside a page, and as PNG files."""

from __future__ import annotations

import io
import os
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from bayesmed.report.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DROPPED = ("metadata", "style")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_COLOUR = re.compile("|".join(style.VARIABLES))


def svg(figure: Figure, prefix: str, alternative: str) -> str:
    """Return a figure as an SVG element for the body of an HTML page.

    Its ids begin with ``prefix``, so that several fit in one page; colours are style variables
    with the printed colour as fallback; nothing in it reaches outside the page.

    Parameters
    ----------
    figure
        The figure.
    prefix
        A word that begins ids in no other figure of the page.
    alternative
        What the picture shows, for those who cannot see it.
    """
    buffer = io.BytesIO()
    with style.drawing():
        figure.savefig(buffer, format="svg", dpi=150, metadata={"Date": None})
    # Written by matplotlib a moment ago, so not the hostile XML that S314 is about.
    root = ET.fromstring(buffer.getvalue())  # noqa: S314
    _tidy(root, prefix)
    size = {"viewBox": root.attrib["viewBox"], "width": root.attrib["width"]}
    root.attrib.clear()
    root.attrib |= size | {"role": "img", "aria-label": alternative}
    return ET.tostring(root, encoding="unicode", short_empty_elements=True)


def save_png(figure: Figure, path: str | os.PathLike[str], *, dpi: int = 160) -> None:
    """Write a figure as a PNG file on white."""
    with style.drawing():
        figure.savefig(path, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})


def _tidy(element: ET.Element, prefix: str) -> None:
    """Drop namespaces, metadata and page-wide styles; make ids the figure's own."""
    element.tag = _local(element.tag)
    for child in list(element):
        if _local(child.tag) in _DROPPED:
            element.remove(child)
        else:
            _tidy(child, prefix)
    for key, value in list(element.attrib.items()):
        del element.attrib[key]
        element.attrib[_local(key)] = _attribute(_local(key), value, prefix)
    if not (element.text or "").strip() and element.tag != "text":
        element.text = None
    element.tail = None if not (element.tail or "").strip() else element.tail


def _attribute(key: str, value: str, prefix: str) -> str:
    if key == "id":
        return f"{prefix}-{value}"
    if key == "href" and value.startswith("#"):
        return f"#{prefix}-{value[1:]}"
    if key == "style":
        value = _COLOUR.sub(lambda m: f"var(--{style.VARIABLES[m[0]]}, {m[0]})", value)
    return _REFERENCE.sub(rf"url(#{prefix}-\1)", value)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
