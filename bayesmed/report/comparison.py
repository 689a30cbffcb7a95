"""The classical estimators beside the posterior; what an unknown covariance would do."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bayesmed.core.errors import BayesmedError, StorageError
from bayesmed.core.names import SLOPE
from bayesmed.core.numbers import number
from bayesmed.effects import Comparison, compare
from bayesmed.inference import Fit, exact_posterior
from bayesmed.report import figures
from bayesmed.report.content import Block, Bullets, Paragraph, Picture, Table
from bayesmed.report.figures import style
from bayesmed.report.figures.comparison import comparison as draw_comparison
from bayesmed.report.figures.predictive import SLOPE_TITLE, predictive_statistics
from bayesmed.report.folder import replace_file
from bayesmed.report.instruments import instruments
from bayesmed.report.tables import MISSING, interval, shown

CORRELATIONS = (-0.5, -0.25, 0.0, 0.25, 0.5, 0.75)
MOST_SITES = 300  # more would take seconds
NOT_DEFINED = "not defined"
if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = (".png", ".svg")


def beside(fit: Fit) -> tuple[Block, ...]:
    """Return all estimators in a table and a picture, why they differ, and how strong sites are."""
    found = compare(fit)
    reasons = Bullets(found.sentences())
    blocks = (estimates(found), picture(found), reasons, instruments(found))
    return (*blocks, *_predicted_least_squares(fit))


def estimates(found: Comparison) -> Table:
    """Every estimate with its 95 % interval, the posterior first."""
    several = len(found.mediators) > 1
    remarks = [*found.notes]
    rows = []
    for row in found.table().to_dict("records"):
        name = row["estimator"]
        if row["defined"]:
            cells = [shown(row["slope"]), shown(row["slope_se"]), ends(row["low"], row["high"])]
            rows.append((name, *([row["mediator"]] if several else []), *cells))
        elif row["mediator"] == found.mediators[0]:  # what is not defined is so for all of them
            rows.append((name, *([MISSING] if several else []), NOT_DEFINED, MISSING, MISSING))
        remark = f"{row['estimator']}: {row['reason']}."
        if row["defined"] and row["reason"] and remark not in remarks:
            remarks.append(remark)
    for estimate in found.estimates:
        if estimate.simulation_error is not None and estimate.defined:
            error = float(estimate.simulation_error.max())
            remarks.append(f"{estimate.name}: simulation error {number(error)}.")
    remarks += [
        f"{estimate.name}: {note}" for estimate in found.estimates for note in estimate.notes
    ]
    columns = ("Estimator", *(["Mediator"] if several else []), "Slope", "sd or SE")
    texts = (0, 1) if several else (0,)
    caption = "The slope by every estimator"
    columns, note = (*columns, "95 % interval"), " ".join(remarks)
    return Table(caption, columns, tuple(rows), texts=texts, note=note, slug="estimators")


def ends(low: float, high: float) -> str:
    """Return the ends of an interval, either of which may be infinite."""
    if math.isfinite(low) and math.isfinite(high):
        return interval(low, high)
    if math.isnan(low) or math.isnan(high):
        return MISSING
    words = [number(end) if math.isfinite(end) else f"{'−' * (end < 0)}∞" for end in (low, high)]
    return " to ".join(words)


def picture(found: Comparison) -> Picture:
    """Every estimate as a point with its interval."""
    what = (
        "Blue, with a band: posterior mean and 95 % interval. "
        if found.posterior is not None
        else ""
    )
    caption = f"{what}Points: estimates with 95 % intervals; an arrow means that it goes on."
    said = []
    for row in found.table().to_dict("records"):
        value = f"{number(row['slope'])} [{ends(row['low'], row['high'])}]"
        about = f" ({row['mediator']})" if len(found.mediators) > 1 else ""
        said.append(f"{row['estimator']}{about} {value if row['defined'] else NOT_DEFINED}")
    alternative = f"Slopes with 95 % intervals: {'; '.join(said)}."
    return Picture("estimators", caption, alternative, partial(draw_comparison, found))


def write_picture(found: Comparison, path: str | os.PathLike[str]) -> None:
    """Write the picture of a comparison to a file; one that is there is replaced.

    Raises
    ------
    StorageError
        If the name does not end in ``.png`` or ``.svg``, or the place cannot be written.
    """
    write_figure(draw_comparison(found), path)


def write_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure to a file; one that is there is replaced.

    Raises
    ------
    StorageError
        As `write_picture`.
    """
    target = checked_picture(path)

    def write(part: Path) -> None:
        if target.suffix == ".png":
            figures.save_png(figure, part)
            return
        with style.drawing():
            figure.savefig(part, format="svg", facecolor="white", metadata={"Date": None})

    try:
        replace_file(target, write)
    except OSError as error:
        raise StorageError(
            f"The picture could not be written to {target}: {error.strerror or error}.",
            "Choose a folder that exists and can be written.",
        ) from error


def checked_picture(path: str | os.PathLike[str]) -> Path:
    """Return the path of a picture, or say why it cannot be one.

    Raises
    ------
    StorageError
        If it does not end in ``.png`` or ``.svg``, is a folder, or its folder does not exist.
    """
    target = Path(path)
    if target.suffix not in PICTURES:
        raise StorageError(
            f"A picture cannot be written as {target.name!r}: its ending is {target.suffix!r}.",
            "End the name in .png or .svg.",
        )
    if target.is_dir() or not target.parent.is_dir():
        raise StorageError(f"{target} cannot be written.", "Name a file in a folder that exists.")
    return target


def _predicted_least_squares(fit: Fit) -> tuple[Paragraph, ...]:
    """Say what least squares would be in tables that the posterior predicts."""
    if fit.data.n_mediators > 1:
        return ()
    predicted = next(s for s in predictive_statistics(fit) if s.title == SLOPE_TITLE)
    low, high = np.quantile(predicted.predicted, [0.025, 0.975])
    text = (
        "In tables like this one, predicted from the posterior, the least-squares slope is "
        f"{interval(low, high)} (95 %); here it is {number(predicted.observed)}."
    )
    return (Paragraph(text),)


def covariance_sensitivity(fit: Fit) -> Table | None:
    """Return slopes under assumed correlations of each site's errors, where none was given.

    None where the correlation is known, there is no error, or the model is too large for a
    quick exact integration.
    """
    data = fit.data
    scale = data.mediator_se[:, 0] * data.total_effect_se
    if data.covariance_given or data.n_mediators > 1 or data.n_rows > MOST_SITES:
        return None
    if not scale.any():
        return None
    rows = []
    for correlation in CORRELATIONS:
        cov = data.cov.copy()
        cov[:, 0, 1] = cov[:, 1, 0] = correlation * scale
        try:
            slope = exact_posterior(fit.model, replace(data, cov=cov)).summary(SLOPE)
        except BayesmedError:  # a prior or a shape that cannot be integrated
            return None
        found = interval(slope.quantiles[0], slope.quantiles[-1])
        rows.append((f"{correlation:g}", number(slope.mean), shown(slope.sd), found))
    columns = ("Error correlation", "Slope: mean", "sd", "95 % interval")
    caption = "How the slope moves with the correlation of each site's two errors"
    return Table(caption, columns, tuple(rows), note="Computed by exact integration.")
