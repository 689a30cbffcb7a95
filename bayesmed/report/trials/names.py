"""Parameters, statistics and entries of one trial in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from bayesmed.core.names import (
    ARM,
    CELL_MEAN,
    CELL_SD,
    COEFFICIENT,
    DIRECT_EFFECT,
    INSTRUMENT,
    INSTRUMENT_SHARE,
    INTERCEPT_HETEROGENEITY,
    INTERCEPT_MEAN,
    MEDIATOR_EFFECT,
    MEDIATOR_EFFECT_SD,
    MEDIATOR_LEVEL,
    MEDIATOR_LEVEL_SD,
    MEDIATOR_SHARE,
    MEDIATOR_VALUE,
    OTHER_COEFFICIENT,
    OUTCOME_LEVEL,
    OUTCOME_LEVEL_SD,
    OUTCOME_SD,
    PERSON_CORRELATION,
    SLOPE,
    SLOPE_HETEROGENEITY,
    SLOPE_MEAN,
    SLOPE_SD,
    STRATUM,
    TREATMENT_GROUP,
    TYPE,
    TYPE_INTERCEPT,
    TYPE_SHARE,
    TYPE_SLOPE,
)
from bayesmed.data import TrialNames
from bayesmed.generative import CovariateIV
from bayesmed.inference import TrialFit

__all__ = ["entry_label", "statistic_label", "statistics", "trial_parameter_label"]

# Words of {t}reatment, {m}ediator, {y} outcome, and of axes; axes that are not named come after.
PARAMETERS: Mapping[str, str] = {
    SLOPE: "Average effect of {m} on {y}",
    DIRECT_EFFECT: "Direct effect of {t} on {y}",
    MEDIATOR_EFFECT: "Average effect of {t} on {m}",
    "mediator_modification": "Change of the effect on {m} with {interacted_covariate}",
    "direct_modification": "Change of the direct effect with {control}",
    "direct_modifier": "Assumed change τ_R of the direct effect with {direct_modified}",
    "slope_modifier": "Assumed change τ_M of the slope with {slope_modified}",
    "mediator_intercept": "Intercept of {m}",
    "mediator_coefficient": "Coefficient of {covariate} in {m}",
    "outcome_intercept": "Intercept of {y}",
    "outcome_coefficient": "Coefficient of {covariate} in {y}",
    "mediator_sd": "Spread of {m}",
    OUTCOME_SD: "Spread of {y}",
    "error_correlation": "Correlation ψ of the errors of {m} and {y}",
    "direct_effect_sd": "Spread of persons' direct effects",
    "direct_effect_slope_corr": "Correlation of persons' direct effects and slopes",
    SLOPE_SD: "Spread of persons' effects of {m} on {y}",
    MEDIATOR_EFFECT_SD: "Spread of persons' effects of {t} on {m}",
    MEDIATOR_LEVEL: "Level of {m}",
    OUTCOME_LEVEL: "Level of {y}",
    MEDIATOR_LEVEL_SD: "Spread of persons' levels of {m}",
    OUTCOME_LEVEL_SD: "Spread of persons' levels of {y}",
    PERSON_CORRELATION: "Persons' correlation of {coefficient} and {other_coefficient}",
    MEDIATOR_SHARE: "Share with {m}",
    CELL_MEAN: "Mean of {y}",
    CELL_SD: "SD of {y}",
    INTERCEPT_MEAN: "Average level of {y} over types",
    SLOPE_MEAN: "Average effect of {m} over types",
    INTERCEPT_HETEROGENEITY: "Spread σ_a of levels between types",
    SLOPE_HETEROGENEITY: "Spread σ_het of effects of {m} between types",
    TYPE_SHARE: "Share of persons",
    TYPE_INTERCEPT: "Level of {y}",
    TYPE_SLOPE: "Effect of {m} on {y}",
    INSTRUMENT_SHARE: "Share of persons",
}
# Where what is told by covariates and treatment is taken off.
OF_ERRORS = {
    "mediator_sd": "Spread of the errors of {m}",
    OUTCOME_SD: "Spread of the errors of {y}",
}
STATISTICS: Mapping[str, str] = {
    "arm_mean": "Mean of {variable}",
    "arm_covariance": "Covariance of {variable} and {other_variable}",
    "arm_variance": "Variance of {variable}",
    "covariate_slope": "Slope of {variable} on {covariate}",
    "mediator_mean": "Mean of {m}",
    "outcome_mean": "Mean of {y}",
    "mediator_variance": "Variance of {m}",
    "outcome_variance": "Variance of {y}",
    "mediator_outcome_covariance": "Covariance of {m} and {y}",
    "mediator_skewness": "Skewness of {m}",
    "outcome_skewness": "Skewness of {y}",
    "outcome_curvature": "Bend of {y} in {m}",
    "outcome_variance_curvature": "Bend of the variance of {y} in {m}",
    MEDIATOR_SHARE: PARAMETERS[MEDIATOR_SHARE],
    CELL_MEAN: PARAMETERS[CELL_MEAN],
    CELL_SD: PARAMETERS[CELL_SD],
}


def trial_parameter_label(fit: TrialFit, name: str, labels: Mapping[str, str]) -> str:
    """Return an entry of a parameter in words.

    Parameters
    ----------
    fit
        The fit.
    name
        The parameter; one without words stands for itself.
    labels
        What the entry belongs to, by axis; the one stratum of a trial without strata is not named.
    """
    known = {**PARAMETERS, **OF_ERRORS} if isinstance(fit.model, CovariateIV) else PARAMETERS
    template = known.get(name, name.replace("_", " "))
    return _filled(template, fit.data.names, _told(fit, labels))


def statistic_label(fit: TrialFit, name: str, labels: Mapping[str, str]) -> str:
    """Return a statistic of the data in words, as `trial_parameter_label` does."""
    template = STATISTICS.get(name, name.replace("_", " "))
    if name == "arm_covariance" and labels.get("variable") == labels.get("other_variable"):
        template = STATISTICS["arm_variance"]
        labels = {dim: text for dim, text in labels.items() if dim != "other_variable"}
    return _filled(template, fit.data.names, _told(fit, labels))


def statistics(fit: TrialFit) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield the statistics of the data by name and axes, the entries of a matrix once."""
    for name, values in fit.tree["observed_data"].to_dataset().data_vars.items():
        dims = [str(d) for d in values.dims]
        for index in np.ndindex(*values.shape):
            at = dict(zip(dims, index, strict=True))
            if at.get("other_variable", 0) >= at.get("variable", 0) or "other_variable" not in at:
                labels = {d: str(values[d].to_numpy()[i]) for d, i in at.items()}
                yield str(name), labels, float(values.to_numpy()[index])


def entry_label(names: TrialNames, labels: Mapping[str, str]) -> str:
    """Return what an entry belongs to in words: ``arm 1``, ``type 0011``, ``M=1``.

    Parameters
    ----------
    names
        The variables of the trial.
    labels
        What the entry belongs to, by axis.

    Examples
    --------
    >>> entry_label(TrialNames(), {"stratum": "women", "arm": "1", "instrument": "0"})
    'women, arm 1, Z=0'
    """
    return ", ".join(_axis(names, dim, text) for dim, text in labels.items())


def _axis(names: TrialNames, dim: str, text: str) -> str:
    if dim == ARM or (dim == TREATMENT_GROUP and names.arms is not None):
        return f"arm {text}"
    if dim == TREATMENT_GROUP:
        return f"{names.treatment} {text}"
    words = {TYPE: "type ", INSTRUMENT: "Z=", MEDIATOR_VALUE: "M="}
    return f"{words.get(dim, '')}{text}"


def _told(fit: TrialFit, labels: Mapping[str, str]) -> dict[str, str]:
    """Leave out the stratum where there is one only."""
    strata: Sequence[str] = getattr(fit.data, "stratum", ())
    return {d: text for d, text in labels.items() if d != STRATUM or len(strata) > 1}


def _filled(template: str, names: TrialNames, labels: Mapping[str, str]) -> str:
    """Put names and labels where they belong; what they hold is never read as a template."""
    coefficients = (COEFFICIENT, OTHER_COEFFICIENT)
    values: dict[str, Any] = {"t": names.treatment, "m": names.mediator, "y": names.outcome}
    values |= {d: x.replace("_", " ") if d in coefficients else x for d, x in labels.items()}
    rest = {dim: text for dim, text in labels.items() if f"{{{dim}}}" not in template}
    text = template.format(**values)
    return f"{text}, {entry_label(names, rest)}" if rest else text
