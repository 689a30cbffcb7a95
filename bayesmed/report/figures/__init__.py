"""Pictures of a fit, each a matplotlib figure outside pyplot, split by idea."""

from bayesmed.report.figures.convergence import ranks
from bayesmed.report.figures.fan import fan
from bayesmed.report.figures.forest import forest
from bayesmed.report.figures.output import save_png, svg
from bayesmed.report.figures.predictive import predictive_sites, predictive_tables
from bayesmed.report.figures.prior_posterior import prior_posterior
from bayesmed.report.figures.showcase import showcase
from bayesmed.report.figures.site_scatter import site_scatter

__all__ = [
    "fan",
    "forest",
    "predictive_sites",
    "predictive_tables",
    "prior_posterior",
    "ranks",
    "save_png",
    "showcase",
    "site_scatter",
    "svg",
]
