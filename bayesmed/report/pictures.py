"""The pictures of a report with the words around them."""

from __future__ import annotations

from functools import partial

import numpy as np

from bayesmed.core.numbers import number
from bayesmed.effects.along_mediator import errors_are_alike
from bayesmed.effects.labels import indirect
from bayesmed.effects.partial_effects import partial_effects
from bayesmed.inference import Fit
from bayesmed.report import figures
from bayesmed.report.answer import Answer
from bayesmed.report.content import Picture
from bayesmed.report.figures.forest import MOST_SITES
from bayesmed.report.figures.predictive import MOST_INTERVALS
from bayesmed.report.figures.site_scatter import MOST_BARS, NOISY
from bayesmed.report.words import of_mediators


def scatter(fit: Fit, answer: Answer) -> Picture:
    """Total effects over mediator effects."""
    data = fit.data
    caption = (
        "One point for each site: its estimated effects with 95 % error bars, and the posterior "
        f"mean of its true effects, tied to the estimate. {_how_to_read_the_line(fit)}"
    )
    if data.n_mediators > 1:
        caption += f" {_partial(fit)}"
    caption += _about_bars(fit)
    of = [f" ({name})" if data.n_mediators > 1 else "" for name in data.mediators]
    slopes = [
        f"{number(row.middle)}{name}, 95 % interval {number(row.low)} to {number(row.high)}"
        for row, name in zip(answer.rows, of, strict=False)
    ]
    alternative = (
        f"Scatter of the total effect on {data.outcome} over the effect on "
        f"{of_mediators(data)} at {data.n_rows} sites with a fitted "
        f"{'curve of average' if fit.model.slope == 'polynomial' else 'line of'} slope "
        f"{'; '.join(slopes)}."
    )
    return Picture("scatter", caption, alternative, partial(figures.site_scatter, fit))


def _how_to_read_the_line(fit: Fit) -> str:
    model = fit.model
    word = "curve" if model.slope == "polynomial" else "line"
    text = f"The steeper the blue {word}, the more a unit of mediator effect does."
    if model.correlated:
        text = (
            f"The blue {word} is the total effect to expect at each mediator effect. How steep it "
            "is is not the slope δ alone: direct effects rise or fall with mediator effects, too."
        )
    if fit.data.n_mediators > 1:
        text += f" The band is the 95 % interval of the {word}, not of sites."
    elif model.slope != "constant":
        text += " The band holds 95 % of true total effects."
    if model.covariates:
        text += f" The {word} is for sites with average covariates."
    return text


def _partial(fit: Fit) -> str:
    """Say what is left in a panel of one of several mediators."""
    found = partial_effects(fit)["error_corr"]
    text = (
        "One panel for each mediator, a partial-residual plot: from every estimated total effect, "
        "what runs through the other mediators on average (posterior mean of their slopes times "
        "the estimated effects on them) has been taken off."
    )
    if fit.data.cov.any():
        known = "at these slopes, from the sampling covariance of all estimates of a site"
        low, high = float(found.min()), float(found.max())
        text += (
            f" Bars are those of what is left, {known}; the errors across and along have "
            f"correlations from {number(low)} to {number(high)}, which bars cannot show."
        )
    return text


def _about_bars(fit: Fit) -> str:
    """Say what bars leave out."""
    data, text = fit.data, ""
    if data.n_mediators == 1 and data.covariance_given and data.cov[:, :-1, -1].any():
        text += " The errors of a site are correlated, which bars cannot show."
    if data.n_rows > MOST_BARS:
        text += f" Bars for {MOST_BARS} of {data.n_rows:,} sites, evenly spread."
    if any(
        (se > NOISY * np.median(se, axis=0)).any()
        for se in (data.mediator_se, data.total_effect_se)
    ):
        text += " Bars of the noisiest sites may leave the picture."
    return text


def fan(fit: Fit) -> Picture:
    """How sites spread around the line where slopes differ."""
    data, several = fit.data, fit.data.n_mediators > 1
    through = " less what runs through the other mediators on average" if several else ""
    rest = (
        "besides that of direct effects" if fit.model.direct_effect else "which is 0 at the origin"
    )
    caption = (
        f"Total effects{through} over effects on the mediator (intent-to-treat effects over "
        "compliance), with the spread that the posterior predicts in the population of sites. "
        "Slopes differ between sites, so total effects fan out: their variance is γ²σ_δ², "
        f"{rest}."
    )
    if several:
        caption += (
            " The dark band is that fan, widened by what is not known of the slope; the light one "
            "adds that slopes of the other mediators differ between sites, too."
        )
    if errors_are_alike(fit):
        caption += (
            " Dashed: where 95 % of estimates are to be expected, sampling errors included (all "
            "sites have similar ones; their mean covariance was used)."
        )
    alternative = (
        f"Estimated total effects on {data.outcome} over estimated effects on "
        f"{of_mediators(data)}, on bands that widen away from zero."
    )
    return Picture("fan", caption, alternative, partial(figures.fan, fit))


def forest(fit: Fit, acme: tuple[float, float, float]) -> Picture:
    """Indirect effects by site with their average (mean, ends of the 95 % interval)."""
    n, kind, several = fit.data.n_rows, indirect(fit.model), fit.data.n_mediators > 1
    by_size = "ordered by their sum over mediators" if several else "by size"
    caption = (
        f"Posterior median, 50 % (thick) and 95 % (thin) interval of every site's {kind}, "
        f"{by_size}. Diamond and band: their weighted average with its 95 % interval."
    )
    if n > MOST_SITES:
        caption += (
            f" Shown are {MOST_SITES} of {n:,} sites, evenly spread from smallest to largest."
        )
    middle, low, high = (number(v) for v in acme)
    average = "the average of their sum" if several else "their average"
    alternative = (
        f"Forest of {kind}s on {fit.data.outcome} through {of_mediators(fit.data)} at "
        f"{min(n, MOST_SITES)} sites; {average} is {middle}, 95 % interval {low} to {high}."
    )
    return Picture("forest", caption, alternative, partial(figures.forest, fit))


def prior_posterior(fit: Fit) -> Picture:
    """Every parameter before and after the data."""
    caption = (
        "Density of every parameter before (dashed) and after (filled) seeing the data. Where the "
        "two agree, the data have said little."
    )
    alternative = "Prior and posterior density of each parameter, one panel each."
    return Picture("priors", caption, alternative, partial(figures.prior_posterior, fit))


def predictive_tables(fit: Fit) -> Picture:
    """Estimates predicted at new sites, and summaries of predicted tables."""
    caption = (
        "Above, estimates predicted at new sites (all effects drawn together, with the standard "
        "errors of this table) behind the actual ones. Below, summaries of predicted tables "
        "with that of the actual one as a line; p is the share of predicted tables with a value "
        "as large. A p near 0 or 1 says that the model does not describe that feature."
    )
    alternative = (
        "Cloud of predicted estimates behind the actual ones, and histograms of summaries of "
        "predicted tables with the actual value marked."
    )
    return Picture("predicted", caption, alternative, partial(figures.predictive_tables, fit))


def predictive_sites(fit: Fit) -> Picture:
    """Estimates in the intervals predicted for the same sites."""
    n = fit.data.n_rows
    caption = (
        "Each site's estimates in the 95 % interval predicted for new estimates at the same "
        "site. About one point in twenty lies outside by chance; many more speak against the model."
    )
    if n > MOST_INTERVALS:
        caption += f" Shown are {MOST_INTERVALS} of {n:,} sites, evenly spread."
    alternative = "Estimates of each site in the intervals predicted for the same site."
    return Picture("refitted", caption, alternative, partial(figures.predictive_sites, fit))


def ranks(fit: Fit) -> Picture:
    """Rank histograms of the chains."""
    caption = (
        "Ranks of each chain's draws among all draws, one line per chain. Chains that found the "
        "same posterior stay level, mostly in the grey band."
    )
    if "sample_stats" in fit.tree.children:
        caption += (
            " Last, the sampler's energy: where its steps are much narrower than the energy, tails "
            "are not explored."
        )
    alternative = "Rank histograms of every parameter by chain."
    return Picture("ranks", caption, alternative, partial(figures.ranks, fit))
