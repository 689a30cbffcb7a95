"""Natural effects over how far effects vary between types of persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayesmed.core.names import NDE, NIE
from bayesmed.report.figures import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bayesmed.studies.sensitivity import HeterogeneityStudy

__all__ = ["heterogeneity_curves"]

EFFECTS = {NIE: "natural indirect effect", NDE: "natural direct effect"}


def heterogeneity_curves(found: HeterogeneityStudy) -> Figure:
    r"""Draw medians and 50 % and 95 % bands of natural effects over :math:`\sigma_{het}`.

    Dashed: the median of what instrumental variables have in their place.
    """
    table = found.table()
    names = found.fit.data.names
    assert names.arms is not None
    with style.drawing():
        figure = style.new_figure(6.0)
        grid = figure.subplots(2, 2, sharex=True, squeeze=False)
        for row, (effect, words) in zip(grid, EFFECTS.items(), strict=True):
            for axes, arm in zip(row, names.arms, strict=True):
                own = table[(table["effect"] == effect) & (table["entry"] == arm)]
                of_iv = table[(table["effect"] == f"{effect}_iv") & (table["entry"] == arm)]
                x = own["heterogeneity"].to_numpy()
                for ends, alpha in ((("q2.5", "q97.5"), 0.15), (("q25", "q75"), 0.3)):
                    low, high = (own[end].to_numpy() for end in ends)
                    axes.fill_between(x, low, high, color=style.POSTERIOR, alpha=alpha, linewidth=0)
                axes.plot(x, own["q50"], color=style.POSTERIOR, linewidth=1.6, label="natural")
                dashed = {"linewidth": 1.4, "linestyle": (0, (4, 2))}
                label = "as instrumental variables have it"
                axes.plot(
                    x,
                    of_iv["q50"],
                    color=style.ESTIMATE,
                    label=label,
                    **dashed,
                )
                axes.axhline(0, color=style.MUTED, linewidth=0.8)
                axes.set_title(style.axis_label(f"{words}, {names.treatment} = {arm}", 40))
                style.light_grid(axes, "both")
        for axes in grid[-1]:
            axes.set_xlabel(style.axis_label(f"σ_het, units of {names.outcome}", 40))
        style.legend_above(figure, grid[0][0], columns=2)
    return figure
