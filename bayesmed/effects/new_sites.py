"""What is known of sites that are not in the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from bayesmed.core.errors import DataError, nearest
from bayesmed.core.types import Floats
from bayesmed.generative.site_slope_new_sites import MediatorEstimates
from bayesmed.inference import Fit

# A covariance whose smallest eigenvalue is below minus this share of its largest is none.
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class NewSites:
    """Sites of the population that are not in the data, and what is known of them.

    Parameters
    ----------
    names
        Names of the S sites.
    covariates
        Name to S numbers (or one for all) in the units of the data: every covariate of the model.
    mediator_effect
        (S, P) estimated mediator effects, or (S,) for one mediator; left out where there are
        none.
    mediator_effect_se
        Their standard errors, of the same shape; errors of several mediators are then unrelated.
    mediator_effect_cov
        (S, P, P) sampling covariances instead.

    Raises
    ------
    DataError
        If names are missing or given twice, or numbers do not fit together or are impossible.

    Examples
    --------
    >>> NewSites(["Oslo", "Rome"], mediator_effect=[0.2, 0.4], mediator_effect_se=[0.1, 0.1])
    NewSites(2 sites, mediator effects estimated)
    """

    names: Sequence[str]
    covariates: Mapping[str, ArrayLike] = field(default_factory=dict)
    mediator_effect: ArrayLike | None = None
    mediator_effect_se: ArrayLike | None = None
    mediator_effect_cov: ArrayLike | None = None

    def __post_init__(self) -> None:
        names = self.names
        if isinstance(names, str) or not names or not all(isinstance(n, str) for n in names):
            raise DataError(f"names is {names!r}.", "Give a list of names, one for each site.")
        if len(set(names)) < len(names):
            twice = next(name for name in names if list(names).count(name) > 1)
            raise DataError(f"The site {twice!r} is named twice.", "Name each site once.")
        covariates = {name: self._covariate(name, x) for name, x in self.covariates.items()}
        object.__setattr__(self, "names", tuple(names))
        object.__setattr__(self, "covariates", covariates)
        self._check_estimates()

    def __repr__(self) -> str:
        known = ", mediator effects estimated" if self.mediator_effect is not None else ""
        listed = f", covariates {', '.join(self.covariates)}" if self.covariates else ""
        return f"NewSites({len(self.names)} sites{listed}{known})"

    def _covariate(self, name: str, values: ArrayLike) -> Floats:
        found = _finite(f"The covariate {name!r}", values)
        if found.shape not in ((), (len(self.names),)):
            raise DataError(
                f"The covariate {name!r} has {found.size} numbers for {len(self.names)} sites.",
                "Give one number for each site, or one for all.",
            )
        return np.broadcast_to(found, (len(self.names),))

    def _check_estimates(self) -> None:
        given = self.mediator_effect_se is not None, self.mediator_effect_cov is not None
        if self.mediator_effect is None:
            if any(given):
                raise DataError(
                    "Standard errors are given without mediator effects.", "Give mediator_effect."
                )
            return
        if sum(given) != 1:
            raise DataError(
                "Estimated mediator effects need their standard errors, once.",
                "Give mediator_effect_se or mediator_effect_cov, one of the two.",
            )
        effect = self._numbers("mediator_effect", self.mediator_effect)
        object.__setattr__(self, "mediator_effect", effect)
        if self.mediator_effect_se is not None:
            se = self._numbers("mediator_effect_se", self.mediator_effect_se)
            if se.shape != effect.shape or (se < 0).any():
                raise DataError(
                    "mediator_effect_se does not hold one standard error for each effect.",
                    "Give numbers of 0 or more in the shape of mediator_effect.",
                )
            object.__setattr__(self, "mediator_effect_se", se)
            return
        self._check_covariance(effect.shape[1])

    def _numbers(self, name: str, values: ArrayLike) -> Floats:
        found = _finite(name, values)
        found = found[:, None] if found.ndim == 1 else found
        if found.ndim != 2 or found.shape[0] != len(self.names):
            raise DataError(
                f"{name} has shape {np.shape(values)} for {len(self.names)} sites.",
                "Give one row for each site and one column for each mediator.",
            )
        return found

    def _check_covariance(self, p: int) -> None:
        assert self.mediator_effect_cov is not None
        cov = _finite("mediator_effect_cov", self.mediator_effect_cov)
        if cov.shape != (len(self.names), p, p):
            raise DataError(
                f"mediator_effect_cov has shape {cov.shape}, not {(len(self.names), p, p)}.",
                "Give one square matrix for each site.",
            )
        values = np.linalg.eigvalsh(cov)
        skew = np.abs(cov - np.swapaxes(cov, 1, 2)).max(axis=(1, 2))
        bad = (values[:, 0] < -ROUNDING * values[:, -1]) | (skew > ROUNDING * values[:, -1])
        if bad.any():
            raise DataError(
                f"mediator_effect_cov of {self.names[int(np.argmax(bad))]!r} is no covariance.",
                "Give symmetric matrices without negative eigenvalues.",
            )
        object.__setattr__(self, "mediator_effect_cov", cov)

    def estimates(self, fit: Fit) -> MediatorEstimates | None:
        """Return the estimates in the form the model takes.

        Raises
        ------
        DataError
            If there are not as many mediators as in the data of the fit.
        """
        if self.mediator_effect is None:
            return None
        effect = np.asarray(self.mediator_effect)
        if effect.shape[1] != fit.data.n_mediators:
            raise DataError(
                f"mediator_effect has {effect.shape[1]} columns and the data "
                f"{fit.data.n_mediators} mediators: {', '.join(fit.data.mediators)}.",
                "Give one column for each, in this order.",
            )
        if self.mediator_effect_cov is not None:
            return MediatorEstimates(effect, np.asarray(self.mediator_effect_cov))
        square = np.asarray(self.mediator_effect_se) ** 2
        return MediatorEstimates(effect, square[:, :, None] * np.eye(effect.shape[1]))

    def covariate_values(self, fit: Fit) -> Floats:
        """Return the model's covariates as it centres them, shape (S, C).

        Raises
        ------
        DataError
            If one is missing, or the model has no such covariate.
        """
        wanted = fit.model.covariates
        for name in self.covariates:
            if name not in wanted:
                raise DataError(f"The model has no covariate {name!r}.", nearest(name, wanted))
        for name in wanted:
            if name not in self.covariates:
                raise DataError(
                    f"The covariate {name!r} of the new sites is missing.",
                    f"Give covariates={{{name!r}: [...]}}.",
                )
        columns = [
            np.asarray(self.covariates[name]) - fit.data.covariates[name].mean() for name in wanted
        ]
        return np.array(columns).reshape(len(wanted), len(self.names)).T


def _finite(what: str, values: ArrayLike) -> Floats:
    try:
        found = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} does not hold numbers of one shape.", "Give numbers.") from error
    if not np.isfinite(found).all():
        raise DataError(
            f"{what} holds a number that is missing or not finite.",
            "Predict sites without estimates in a call of their own.",
        )
    found.flags.writeable = False
    return found
