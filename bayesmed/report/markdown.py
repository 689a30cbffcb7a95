"""Content as Markdown that reads well as text and in every common renderer."""

from __future__ import annotations

import re

from bayesmed.report.content import Block, Bullets, Code, Content, Paragraph, Table
from bayesmed.report.plain import plain
from bayesmed.report.summary import summary

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Characters that mean something inside a line: code, emphasis, links, tables, mathematics,
# strike-through, mentions.
_MEANING = re.compile(r"[\\`*_\[\]|$~@]")
# What would start a heading, list, quote or rule at the start of a line.
_START = re.compile(r"^(\s*)([#+\-=]|\d+[.)])")
_LINK = re.compile(r"(?i)(://|\bwww\.|\bmailto:)")


def to_markdown(content: Content) -> str:
    """Return the report as Markdown: all of its text and tables, and what its pictures show."""
    said = content.answer
    parts = [f"# {escape(content.title)}", _line(content.question)]
    parts += [f"> **Read this first.** {escape(text)}" for text in said.first]
    parts += ["## Answer", f"**{escape(said.sentence)}**"]
    if said.region:
        parts.append(_line(said.region))
    if said.rows:
        parts.append(_table(summary(said)))
    if said.notes:
        parts += ["Keep in mind:", _bullets(said.notes)]
    for section in content.sections:
        parts.append(f"## {escape(section.title)}")
        parts += [_block(block) for block in section.blocks]
    parts += ["---", _line(content.made)]
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    r"""Return text that Markdown shows as it is, on one line.

    Examples
    --------
    >>> escape("a|b <c> `d` $x$")
    'a\\|b &lt;c&gt; \\`d\\` \\$x\\$'
    """
    text = _MEANING.sub(r"\\\g<0>", plain(text))
    for character, entity in _ENTITIES.items():
        text = text.replace(character, entity)
    # A bare address would become a link.
    text = _LINK.sub(lambda m: m[0].replace(":", "&#58;").replace(".", "&#46;"), text)
    # Marks of emphasis take effect only next to a character that is not a space.
    return text.strip()


def _line(text: str) -> str:
    r"""Return text that is a paragraph, whatever it begins with."""
    return _START.sub(lambda m: f"{m[1]}{_harmless(m[2])}", escape(text).strip())


def _harmless(mark: str) -> str:
    return f"{mark[:-1]}\\{mark[-1]}"


def _block(block: Block) -> str:
    match block:
        case Paragraph():
            return _line(block.text)
        case Bullets():
            return _bullets(block.items)
        case Table():
            return _table(block)
        case Code():
            return _code(block)
    return f"*Picture in the HTML report: {escape(block.alternative)}* {escape(block.caption)}"


def _code(block: Code) -> str:
    # Indented, so that no line in it can end it.
    lines = "\n".join(f"    {plain(line)}".rstrip() for line in block.text.splitlines())
    return f"{_line(block.caption)}:\n\n{lines}"


def _bullets(items: tuple[str, ...]) -> str:
    return "\n".join(f"* {_line(item)}" for item in items)


def _table(table: Table) -> str:
    marks = [":--" if i in table.texts else "--:" for i in range(len(table.columns))]
    lines = [_row(table.columns), "| " + " | ".join(marks) + " |", *map(_row, table.rows)]
    parts = [f"**{escape(table.caption)}**", "\n".join(lines)]
    return "\n\n".join([*parts, _line(table.note)] if table.note else parts)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(escape(cell) for cell in cells) + " |"
