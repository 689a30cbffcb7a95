"""Content as one HTML page that needs nothing outside itself."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from bayesmed.report.content import Content
from bayesmed.report.figures.output import svg
from bayesmed.report.great import page_table
from bayesmed.report.plain import plain
from bayesmed.report.summary import summary

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = "report.html.j2"


def to_html(content: Content) -> str:
    """Return a self-contained page: inline style, pictures as inline SVG, no script, no request.

    Every text is escaped; names from data cannot become markup.
    """
    from markupsafe import Markup

    drawn = {
        # Written by matplotlib and parsed again, with names as escaped text in it.
        picture.slug: Markup(svg(picture.draw(), picture.slug, plain(picture.alternative)))  # noqa: S704
        for picture in content.pictures
    }
    return _template().render(
        content=content,
        summary=summary(content.answer),
        drawn=drawn,
        # Written by great-tables and parsed again, with cells as escaped text in it.
        tabled=lambda table: Markup(page_table(table)),  # noqa: S704
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    source = files("bayesmed.report").joinpath(TEMPLATE).read_text(encoding="utf-8")
    return environment.from_string(source)


def _finalize(value: object) -> object:
    """Clean plain text; markup made here is left as it is."""
    return plain(value) if type(value) is str else value
