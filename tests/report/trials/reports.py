"""What every report of one trial must satisfy, whatever the model."""

from __future__ import annotations

import html
import itertools
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from bayesmed.core.numbers import number
from bayesmed.effects import effects
from bayesmed.inference import Fit
from bayesmed.report.compose import compose
from bayesmed.report.content import Content
from bayesmed.report.findings import findings
from bayesmed.report.html import to_html
from bayesmed.report.markdown import to_markdown
from tests.report.test_html import KNOWN_TAGS, Page

SECTIONS = ["effects", "basis", "moves", "classical", "prediction", "computation", "data", "origin"]
PICTURES = ["effects", "priors", "estimators", "predicted", "ranks"]
EVIL = {
    "treatment": "<b>drug</b>",
    "mediator": "`m`|*x* & {0}",
    "outcome": "$y$ <script>1</script>",
}


def content_of(fit: Fit[Any, Any]) -> Content:
    return compose(findings(fit))


def said(fit: Fit[Any, Any], effect: str, *, median: bool = False, **at: str) -> str:
    """Return an effect as sentences have it: mean or median with the 95 % interval."""
    draws = effects(fit).draws[effect]
    values = np.asarray(draws.sel(at) if at else draws).ravel()
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
    return f"{number(middle if median else values.mean())} [{number(low)}, {number(high)}]"


def assert_sound(content: Content, names: dict[str, str]) -> str:
    """Check structure and escaping of page and text; return the page."""
    assert [section.slug for section in content.sections] == SECTIONS
    slugs = [picture.slug for picture in content.pictures]
    # Only some models have checks that compare the data with predictions.
    assert [slug for slug in slugs if slug != "checks"] == PICTURES
    page, text = to_html(content), to_markdown(content)
    parsed = Page(page)
    assert parsed.open == []
    assert {tag for tag, _ in parsed.tags} <= KNOWN_TAGS
    assert page.count("<svg") == len(slugs)
    for name in names.values():
        if html.escape(name) != name:
            assert name not in page
            assert name not in text
            assert html.escape(name) in page or html.escape(name, quote=False) in page
    for table in content.tables:
        assert table.rows, table.caption
        assert {len(row) for row in table.rows} == {len(table.columns)}
    return page


def assert_labels_fit(content: Content) -> None:
    """No label lies on another one, and none leaves its picture."""
    for picture in content.pictures:
        figure = picture.draw()
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        renderer = canvas.get_renderer()
        width = figure.bbox.width
        for axes in figure.axes:
            if not axes.get_visible():
                continue
            title = axes.title.get_window_extent(renderer)
            if axes.title.get_text():
                assert title.x0 > -1, (picture.slug, axes.title.get_text())
                assert title.x1 < width + 1, (picture.slug, axes.title.get_text())
            boxes = [t.get_window_extent(renderer) for t in axes.get_yticklabels() if t.get_text()]
            for box in boxes:
                assert box.x0 > -1, picture.slug
            ordered = sorted(boxes, key=lambda box: box.y0)
            for below, above in itertools.pairwise(ordered):
                assert below.y1 <= above.y0 + 1, (picture.slug, below, above)
