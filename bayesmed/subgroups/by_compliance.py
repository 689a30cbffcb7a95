"""Sites as strata of the propensity to comply with each mediator, cross-fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayesmed.core.errors import DataError
from bayesmed.core.notes import FOUND_APART
from bayesmed.core.progress import Progress
from bayesmed.core.words import joined
from bayesmed.data import Moments, PersonRows
from bayesmed.data.rows.assigning import Score, with_scores
from bayesmed.data.rows.baseline import PART, Baseline, baseline
from bayesmed.formulas.cell_moments import joined as joined_cells
from bayesmed.subgroups.choices import CompliancePropensity
from bayesmed.subgroups.found_sites import ToldApart

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["sites_by_compliance"]

_Array = NDArray[np.float64]


def sites_by_compliance(
    rows: PersonRows, how: CompliancePropensity, seed: int, progress: Progress
) -> ToldApart:
    """Predict every person's effects on the mediators and return the rows in strata of them.

    The regressions need moments of the persons only, by fold and arm: no person is brought here.

    Raises
    ------
    DataError
        If the rows cannot be used, there are not two arms, or nothing predicts effects.
    """
    edges = tuple((k + 1) / how.folds for k in range(how.folds - 1))
    base = baseline(rows, how.categorical, edges, how.person, seed, progress)
    if len(base.arms) != 2:
        raise DataError(
            f"{rows.source}: propensities to comply are those of one arm beside a reference.",
            "Name one arm as `arms`; amounts of treatment are taken by a CausalTree.",
        )
    progress.phase("Scanning the rows again, for the propensities")
    scores = _scores(base, _moments(base))
    named = {f"compliance with {name}": score for name, score in scores.items()}
    told = with_scores(base, named, how.groups)
    origin = (
        f"Sites are strata of the predicted effect on {joined(list(scores))} ({how.groups} groups "
        f"of about equal size each), from linear regressions on {joined(base.site_columns)} in "
        f"each arm, cross-fitted in {how.folds} random folds of the {base.unit} (seed {seed})."
    )
    caution = (
        f"{FOUND_APART}they are strata of propensities to comply, everybody's estimated from the "
        "other folds. Other folds give other sites; how much the answer depends on them shows "
        "when they are drawn repeatedly."
    )
    return ToldApart(told, _table(base, scores), origin, caution)


def _moments(base: Baseline) -> Moments:
    """Moments of features and mediators by fold and arm."""
    names = tuple(feature.name for feature in base.features)
    known = base.rows(
        base.table, site=PART, covariates=names, site_covariates=(), cluster=None, log_odds=()
    )
    return known.moments()


def _scores(base: Baseline, moments: Moments) -> dict[str, Score]:
    """Return the predicted effect on each mediator, for every fold from the others."""
    assert moments.arm is not None
    f, mediators = len(base.features), base.columns.estimated[:-1]
    fold = np.array([int(name) for name in moments.site])
    intercept = np.zeros((len(mediators), base.parts))
    coefficient = np.zeros((len(mediators), base.parts, f))
    width = moments.cross.shape[1]
    for k in range(base.parts):
        for sign, (arm, _) in zip((-1.0, 1.0), base.arms, strict=True):
            other = (fold != k) & np.array([a == arm for a in moments.arm])
            _require_enough(base, moments.n[other].sum(), arm)
            _, mean, cross = joined_cells(
                moments.weight[other],
                moments.mean[other, :width],
                moments.cross[other],
                np.zeros(int(other.sum()), dtype=np.int64),
                1,
            )
            slope = _least_squares(cross[0], f)[:, : len(mediators)]
            level = mean[0, f : f + len(mediators)] - mean[0, :f] @ slope
            intercept[:, k] += sign * level
            coefficient[:, k] += sign * slope.T
    labels = [base.columns.label(name) for name in mediators]
    return {name: Score(intercept[p], coefficient[p]) for p, name in enumerate(labels)}


def _least_squares(cross: _Array, features: int) -> _Array:
    """Return (F, …) coefficients; the smallest, where features follow from one another."""
    size = np.sqrt(np.diagonal(cross)[:features])
    scale = np.where(size > 0, size, 1.0)
    corr = cross[:features, :features] / np.outer(scale, scale)
    right = cross[:features, features:] / scale[:, None]
    found: _Array = np.linalg.lstsq(corr, right, rcond=1e-9)[0] / scale[:, None]
    return found


def _require_enough(base: Baseline, n: float, arm: str) -> None:
    least = 2 * (len(base.features) + 1)
    if n < least:
        raise DataError(
            f"{base.source}: {n:.0f} complete persons of arm {arm!r} are left to predict effects "
            f"from {len(base.features)} features.",
            f"Give at least {least}: name fewer columns as site, or take fewer folds.",
        )


def _table(base: Baseline, scores: dict[str, Score]) -> pd.DataFrame:
    """Return one row per mediator, fold and feature."""
    import pandas as pd

    return pd.DataFrame(
        {"mediator": name, "fold": k + 1, "feature": str(feature), "coefficient": b}
        for name, score in scores.items()
        for k in range(base.parts)
        for feature, b in zip(base.features, score.coefficient[k].tolist(), strict=True)
    )
