"""Least squares beside the posterior, and why they differ; what an unknown covariance would do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.classical import expected_ols_slope, ols, wls
from bayesmed.core.errors import BayesmedError
from bayesmed.core.names import (
    DIRECT_EFFECT_MEAN,
    MEDIATOR_EFFECT_MEAN,
    MEDIATOR_EFFECT_SD,
    SLOPE,
)
from bayesmed.core.types import Floats
from bayesmed.formulas.site_slope import reliability
from bayesmed.inference import Fit, exact_posterior
from bayesmed.report.answer import number
from bayesmed.report.content import Paragraph, Table
from bayesmed.report.figures.columns import parameter_draws
from bayesmed.report.figures.predictive import SLOPE_TITLE, predictive_statistics
from bayesmed.report.findings import Findings
from bayesmed.report.tables import MISSING, interval, shown

if TYPE_CHECKING:
    import pandas as pd

CORRELATIONS = (-0.5, -0.25, 0.0, 0.25, 0.5, 0.75)
MOST_SITES = 300  # more would take seconds
# A shift of the least-squares slope by less than this share of the slope is not worth a sentence.
WORTH_SAYING = 0.02


def least_squares(found: Findings) -> Table:
    """Slopes and intercepts of the posterior, OLS and WLS."""
    fit = found.fit
    table = found.parameters
    rows: list[tuple[str, ...]] = [
        ("Posterior", *_moments(table, SLOPE), *_moments(table, DIRECT_EFFECT_MEAN))
    ]
    remarks = []
    for name, estimator in (("Least squares (OLS)", ols), ("Weighted least squares (WLS)", wls)):
        found_by = estimator(fit.data, intercept=fit.model.direct_effect)
        values = (found_by.slope, found_by.slope_se, found_by.intercept, found_by.intercept_se)
        rows.append((name, *(shown(v) for v in values)))
        if found_by.reason:
            what = "no standard error" if found_by.defined else "no answer"
            remarks.append(f"{name} has {what}, because {found_by.reason}.")
    columns = ("Estimator", "Slope", "sd or SE", "Intercept", "sd or SE")
    caption = "Slope and intercept, three ways"
    return Table(caption, columns, tuple(rows), note=" ".join(remarks))


def _moments(table: pd.DataFrame, name: str) -> tuple[str, str]:
    found = table[table["name"] == name]
    if found.empty:
        return MISSING, MISSING
    return number(float(found["mean"].iloc[0])), number(float(found["sd"].iloc[0]))


def why_they_differ(fit: Fit) -> Paragraph:
    """Say in words and numbers what measurement error does to least squares here."""
    mediator = fit.data.mediators[0]
    slope, square = _draws(fit, SLOPE), _square(fit)
    variance = float(np.mean(fit.data.mediator_se[:, 0] ** 2))
    covariance = float(np.mean(fit.data.cov[:, 0, -1]))
    if variance == 0:
        return Paragraph(
            f"The effects on {mediator} are known without error here, so least squares and the "
            "posterior differ only by the priors and by how sites are weighted."
        )
    kept = float(np.median(reliability(np.sqrt(square), variance)))
    expected = float(np.median(expected_ols_slope(slope, square, variance, 0.0)))
    moved = float(np.median(expected_ols_slope(slope, square, variance, covariance))) - expected
    text = (
        f"Least squares takes the estimated effects on {mediator} as if they were exact. "
        f"Their sampling error pulls its slope towards zero by a factor of about {kept:.2f} "
        f"({_what_kept(fit)}): a slope of {number(float(np.median(slope)))} would look like "
        f"{number(expected)}."
    )
    if abs(moved) > WORTH_SAYING * abs(expected):
        text += f" The covariance of each site's two errors moves it by another {number(moved)}."
    predicted = next(s for s in predictive_statistics(fit) if s.title == SLOPE_TITLE)
    low, high = np.quantile(predicted.predicted, [0.025, 0.975])
    text += (
        f" In tables like this one, predicted from the posterior, the least-squares slope is "
        f"{interval(low, high)} (95 %); here it is {number(predicted.observed)}. The posterior "
        "models the error instead of ignoring it."
    )
    return Paragraph(text)


def _what_kept(fit: Fit) -> str:
    if fit.model.direct_effect:
        return "the reliability, the share of their variance that is true difference between sites"
    return "the share of their mean square that is true effect"


def _draws(fit: Fit, name: str) -> Floats:
    draws = parameter_draws(fit, name)
    assert draws is not None
    return draws.ravel()


def _square(fit: Fit) -> Floats:
    """Variance of the true mediator effects; their mean square where the line has no intercept."""
    square = _draws(fit, MEDIATOR_EFFECT_SD) ** 2
    return square if fit.model.direct_effect else square + _draws(fit, MEDIATOR_EFFECT_MEAN) ** 2


def covariance_sensitivity(fit: Fit) -> Table | None:
    """Return slopes under assumed correlations of each site's errors, where none was given.

    None where the correlation is known, there is no error, or the model is too large for a
    quick exact integration.
    """
    data = fit.data
    scale = data.mediator_se[:, 0] * data.total_effect_se
    if data.covariance_given or data.n_rows > MOST_SITES or not scale.any():
        return None
    rows = []
    for correlation in CORRELATIONS:
        cov = data.cov.copy()
        cov[:, 0, 1] = cov[:, 1, 0] = correlation * scale
        try:
            slope = exact_posterior(fit.model, replace(data, cov=cov)).summary(SLOPE)
        except BayesmedError:  # a prior or a shape that cannot be integrated
            return None
        ends = interval(slope.quantiles[0], slope.quantiles[-1])
        rows.append((f"{correlation:g}", number(slope.mean), shown(slope.sd), ends))
    columns = ("Error correlation", "Slope: mean", "sd", "95 % interval")
    caption = "How the slope moves with the correlation of each site's two errors"
    return Table(caption, columns, tuple(rows), note="Computed by exact integration.")
