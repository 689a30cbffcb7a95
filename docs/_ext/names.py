"""Single backticks in docstrings: a link where they hold a public name, else code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.util.docutils import SphinxRole

import bayesmed

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class Name(SphinxRole):
    """The default role."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Link the first part of a dotted name that is public; leave anything else as code."""
        shown = nodes.literal(self.rawtext, self.text.lstrip("~"), classes=["xref"])
        name = self.text.lstrip("~").removeprefix("bayesmed.")
        if name.split(".")[0] not in bayesmed.__all__ and not name.startswith("formulas."):
            return [shown], []
        target = {"refdomain": "py", "reftype": "obj", "reftarget": f"bayesmed.{name}"}
        link = pending_xref(self.rawtext, shown, refdoc=self.env.docname, **target)
        return [link], []


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the role that `conf.py` makes the default one."""
    app.add_role("name", Name())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
