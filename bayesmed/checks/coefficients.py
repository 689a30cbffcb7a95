"""Whether mediator and outcome of persons have the shapes that normal coefficients give them."""

from __future__ import annotations

import numpy as np
import xarray as xr

from bayesmed.checks.predictive import REPLICATE, predictive_p
from bayesmed.checks.result import CheckResult, Status
from bayesmed.checks.thresholds import SURPRISING
from bayesmed.core.names import CHAIN, DRAW, TREATMENT_GROUP
from bayesmed.core.numbers import number
from bayesmed.core.words import p_value
from bayesmed.generative.random_coefficients_statistics import CURVATURES, SKEWNESSES
from bayesmed.inference import TrialFit

__all__ = ["normal_coefficients"]

CODE = "normal_coefficients"
STATISTIC = "statistic"
_WORDS = {
    "mediator_skewness": "skewness of {mediator}",
    "outcome_skewness": "skewness of {outcome}",
    "outcome_curvature": "bend of {outcome} in {mediator}",
    "outcome_variance_curvature": "bend of the spread of {outcome} in {mediator}",
}


def normal_coefficients(fit: TrialFit) -> list[CheckResult]:
    """Compare skewness and bends by treatment with predictions, the most surprising of them.

    What tells the average effect from how compliance and benefit go together is the bend of the
    outcome in the mediator, if coefficients are normal (methods, section 4). A binary mediator
    needs no such assumption.
    """
    observed = fit.tree["observed_data"].to_dataset()
    if CURVATURES[0] not in observed:
        return []
    names = [*SKEWNESSES, *CURVATURES]
    new = fit.tree["posterior_predictive"].to_dataset()
    replicas = np.stack(
        [new[k].transpose(CHAIN, DRAW, TREATMENT_GROUP).values for k in names], axis=-1
    )
    replicas = replicas.reshape(-1, *replicas.shape[2:])  # (replica, group, statistic)
    seen = np.stack([observed[k].values for k in names], axis=-1)
    centre, spread = replicas.mean(axis=0), replicas.std(axis=0)
    away = np.abs(np.concatenate([seen[None], replicas]) - centre) / np.maximum(spread, 1e-300)
    largest = away.max(axis=(1, 2))
    p_of = predictive_p(float(largest[0]), largest[1:])
    group, which = np.unravel_index(np.argmax(away[0]), away[0].shape)
    label = str(observed[TREATMENT_GROUP].values[group])
    about = {"mediator": fit.data.names.mediator, "outcome": fit.data.names.outcome}
    what = _WORDS[names[which]].format(**about)
    text = (
        f"Furthest from predictions: {what} ({fit.data.names.treatment} {label}), "
        f"{number(float(largest[0]))} standard deviations (predictive {p_value(p_of)})"
    )
    status: Status = "passed" if p_of >= SURPRISING else "doubtful"
    if status == "doubtful":
        text += (
            ": coefficients are not normal, and the average effect rests on it. The Wald ratio "
            "does not; a transformation may help."
        )
    else:
        text += "."
    arrays = xr.Dataset(
        {
            "observed": ((), largest[0]),
            "replicated": ((REPLICATE,), largest[1:]),
            "standardised": ((TREATMENT_GROUP, STATISTIC), (seen - centre) / spread),
        },
        coords={TREATMENT_GROUP: observed[TREATMENT_GROUP].values, STATISTIC: names},
    )
    title = "Levels and effects of persons are jointly normal"
    return [CheckResult(CODE, title, status, text, p_of, arrays=arrays)]
