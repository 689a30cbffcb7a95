"""The scatter and the forest side by side: a fit in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesmed.effects.partial_effects import partial_effects
from bayesmed.inference import Fit
from bayesmed.report.figures import style
from bayesmed.report.figures.forest import draw_forest
from bayesmed.report.figures.site_scatter import draw_site_scatter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_SITES = 18


def showcase(fit: Fit) -> Figure:
    """Draw site scatter and a forest of some sites side by side; ``save_png`` writes it."""
    with style.drawing():
        figure = style.new_figure(4.6, width=11)
        left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
        draw_site_scatter(left, fit, partial_effects(fit))
        draw_forest(right, fit, most=MOST_SITES)
        style.legend_above(figure, left, columns=5)
    return figure
