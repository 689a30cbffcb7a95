"""Names and natural units of the parameters of correlated random coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bayesmed.core.types import Floats
from bayesmed.data import TrialPersons

# How the mediator differs among persons with the same of two treatments.
MEDIATOR_SD = "mediator_sd"
# What is sampled in place of correlations: (z + 1) / 2 for each partial correlation z.
PARTIAL = "partial_correlation"
# Axis of the log-likelihood.
PERSON = "person"


@dataclass(frozen=True)
class PersonScale:
    """Centres and natural units of treatment, mediator and outcome.

    Levels are at the centres, so that priors do not depend on where the zeros of the variables are.

    Attributes
    ----------
    treatment_centre, mediator_centre, outcome_centre
        Means over persons.
    treatment_sd, mediator_sd, outcome_sd
        Standard deviations over persons.
    """

    treatment_centre: float
    mediator_centre: float
    outcome_centre: float
    treatment_sd: float
    mediator_sd: float
    outcome_sd: float

    @classmethod
    def of(cls, data: TrialPersons) -> PersonScale:
        """Measure the persons."""
        columns = (data.treatment, data.mediator, data.outcome)
        return cls(*(float(x.mean()) for x in columns), *(float(x.std()) for x in columns))

    def standardised(self, data: TrialPersons) -> Floats:
        """Return (N, 3) treatment, mediator and outcome without their units."""
        return np.column_stack(
            [
                (data.treatment - self.treatment_centre) / self.treatment_sd,
                (data.mediator - self.mediator_centre) / self.mediator_sd,
                (data.outcome - self.outcome_centre) / self.outcome_sd,
            ]
        )
