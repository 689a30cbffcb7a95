"""Formulas as MathML, made by docutils: no script, no network, read by every browser and aloud."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# What docutils has by another name, or not at all.
SPELT: Final = {
    r"\\textstyle|\\displaystyle": "",
    r"\\dots(?![a-z])": r"\\ldots",
    r"\\Big(?![a-z])": r"\\Bigl",
}
LOGGER = logging.getLogger(__name__)


def mathml(tex: str, *, block: bool, where: Any = None) -> str:
    r"""Return a formula as a MathML element; one that cannot be read is a warning.

    >>> mathml(r"\delta\gamma", block=False)[:5]
    '<math'
    """
    text = tex.strip()
    for theirs, ours in SPELT.items():
        text = re.sub(theirs, ours, text)
    if block and r"\\" in text and r"\begin" not in text:
        text = rf"\begin{{aligned}}{text}\end{{aligned}}"
    try:
        return str(tex2mathml(text, as_block=block))
    except MathError as error:
        LOGGER.warning("a formula cannot be read: %s (%s)", tex, error, location=where)
        return f"<code>{tex}</code>"


def visit_math(self: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    self.body.append(mathml(node.astext(), block=False, where=node))
    raise nodes.SkipNode


def visit_display(self: Any, node: nodes.math_block) -> None:
    """Write a formula in lines of its own; an empty line separates two."""
    parts = [part for part in node.astext().split("\n\n") if part.strip()]
    self.body.append(self.starttag(node, "div", CLASS="math"))
    self.body += [mathml(part, block=True, where=node) for part in parts]
    self.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer that `conf.py` chooses."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
