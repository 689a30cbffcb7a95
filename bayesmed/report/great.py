"""Tables for print and for pages, by great-tables."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

from bayesmed.report.content import Table
from bayesmed.report.plain import plain

if TYPE_CHECKING:
    from great_tables import GT

__all__ = ["MANY_WORDS", "great_table", "page_table"]

MANY_WORDS = 2
"""From so many columns of words on, rows stand below each other on a narrow screen."""
_KEPT = frozenset({"scope"})


def great_table(table: Table) -> GT:
    r"""Return a table as great-tables has it: HTML in a notebook, LaTeX by ``as_latex()``.

    Examples
    --------
    >>> made = great_table(Table("Sizes", ("Site", "n"), (("A & B", "3"),)))
    >>> r"A \& B & 3" in made.as_latex()
    True
    """
    import pandas as pd
    from great_tables import GT

    names = [f"c{i}" for i in range(len(table.columns))]
    rows = [[plain(cell) for cell in row] for row in table.rows]
    labels: dict[str, Any] = {
        name: _label(text) for name, text in zip(names, table.columns, strict=True)
    }
    made = GT(pd.DataFrame(rows, columns=names), rowname_col=names[0], id="table")
    made = made.tab_header(title=plain(table.caption)).tab_stubhead(label=labels.pop(names[0]))
    if labels:
        made = made.cols_label(**labels)
    for i, name in enumerate(names[1:], 1):
        made = made.cols_align("left" if i in table.texts else "right", columns=[name])
    return made.tab_source_note(plain(table.note)) if table.note else made


def page_table(table: Table) -> str:
    """Return a table as an HTML element that takes its looks from the page it stands in.

    The style that great-tables brings is for a white page; what is kept is structure: a caption,
    headings with their scope, alignment. On a narrow screen every cell knows its heading.
    """
    html = great_table(table).as_raw_html()
    html = html[html.index("<table") : html.index("</table>") + len("</table>")]
    # Written by great-tables a moment ago, so not the hostile XML that S314 is about.
    root = ET.fromstring(html)  # noqa: S314
    stacked = len(table.texts) >= MANY_WORDS
    for element in root.iter():
        words = "gt_left" in element.get("class", "").split()
        kept = {k: v for k, v in element.attrib.items() if k in _KEPT}
        element.attrib.clear()
        element.attrib |= kept
        element.tail = None
        if element.tag in ("td", "th"):
            element.attrib |= {"class": "text", "dir": "auto"} if words else {}
        else:
            element.text = None
    _name(root, table, stacked)
    return ET.tostring(root, encoding="unicode", short_empty_elements=False)


def _name(root: ET.Element, table: Table, stacked: bool) -> None:
    """Put the caption where it belongs, and headings beside cells of stacked rows."""
    head, body = root.find("thead"), root.find("tbody")
    assert head is not None
    assert body is not None
    head.remove(head[0])  # the title, as a cell
    foot = root.find("tfoot")
    if foot is not None:
        root.remove(foot)
    caption = ET.Element("caption", {"dir": "auto"})
    caption.text = plain(table.caption)
    root.insert(0, caption)
    if not stacked:
        return
    # As blocks they would be no table any more, to those who cannot see it.
    root.attrib |= {"class": "stack", "role": "table"}
    roles = {"tr": "row", "td": "cell", "thead": "rowgroup", "tbody": "rowgroup"}
    for element in root.iter():
        if element.tag == "th":
            of = "columnheader" if element.get("scope") == "col" else "rowheader"
            element.set("role", of)
        elif element.tag in roles:
            element.set("role", roles[element.tag])
    for row in body:
        for cell, heading in zip(row[1:], table.columns[1:], strict=True):
            cell.set("data-label", plain(heading))


def _label(text: str) -> str:
    """Keep braces that great-tables would read as units, and not escape, apart."""
    return plain(text).replace("{{", "{\u2060{")
