"""Every estimator by the name that tables show, and all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bayesmed.classical.bces import NAMES as BCES_NAMES
from bayesmed.classical.bces import bces
from bayesmed.classical.bces_published import NAME as BCES_PUBLISHED
from bayesmed.classical.bces_published import bces_published
from bayesmed.classical.bias_corrected_iv import NAME as BIAS_CORRECTED_IV
from bayesmed.classical.bias_corrected_iv import bias_corrected_iv
from bayesmed.classical.estimate import ClassicalEstimate
from bayesmed.classical.least_squares import ols, wls
from bayesmed.classical.person_iv import NAMES as ON_PERSONS
from bayesmed.classical.person_iv import person_level_iv
from bayesmed.classical.pooled_wald import NAME as POOLED_WALD
from bayesmed.classical.pooled_wald import pooled_wald
from bayesmed.classical.random_effects import NAMES as RANDOM_EFFECTS
from bayesmed.classical.random_effects import random_effects_wls
from bayesmed.classical.reliability_corrected import reliability_corrected
from bayesmed.classical.simex import NAMES as SIMEX_NAMES
from bayesmed.classical.simex import simex
from bayesmed.core.errors import DataError
from bayesmed.core.seeds import checked_seed, child_seed
from bayesmed.data import SiteEstimates


@dataclass(frozen=True)
class Estimator:
    """An estimator with its options chosen, called alike for all.

    Attributes
    ----------
    call
        Takes data, whether the line has an intercept, and a seed.
    intercepts
        The lines it can estimate: with an intercept (True), through the origin (False).

    Examples
    --------
    >>> ESTIMATORS["Pooled Wald"].intercepts
    (False,)
    """

    call: Callable[[SiteEstimates, bool, int], ClassicalEstimate]
    intercepts: tuple[bool, ...] = (True, False)

    def __call__(
        self, data: SiteEstimates, intercept: bool = True, *, seed: int = 0
    ) -> ClassicalEstimate:
        """Estimate a line.

        An estimator of lines through the origin estimates one whatever ``intercept`` says; one
        of lines with an intercept refuses to leave it out.

        Raises
        ------
        DataError
            If the estimator cannot take the data, or cannot leave the intercept out.
        """
        if intercept not in self.intercepts and not intercept:
            raise DataError(
                "This estimator exists for a line with an intercept only.",
                "Take another one for a line through the origin.",
            )
        return self.call(data, intercept, seed)


def _all() -> dict[str, Estimator]:
    with_intercept, through_origin = (True,), (False,)
    return {
        "OLS": Estimator(lambda d, i, _: ols(d, intercept=i)),
        "WLS": Estimator(lambda d, i, _: wls(d, intercept=i)),
        RANDOM_EFFECTS["common"]: Estimator(lambda d, i, _: random_effects_wls(d, intercept=i)),
        RANDOM_EFFECTS["slopes"]: Estimator(
            lambda d, i, _: random_effects_wls(d, intercept=i, scatter="slopes")
        ),
        BCES_NAMES["asymptotic"]: Estimator(lambda d, i, _: bces(d, intercept=i)),
        BCES_NAMES["pairs_bootstrap"]: Estimator(
            lambda d, i, s: bces(d, intercept=i, inference="pairs_bootstrap", seed=s)
        ),
        BCES_NAMES["wild_bootstrap"]: Estimator(
            lambda d, i, s: bces(d, intercept=i, inference="wild_bootstrap", seed=s)
        ),
        BCES_PUBLISHED: Estimator(lambda d, i, _: bces_published(d), with_intercept),
        SIMEX_NAMES["bivariate"]: Estimator(lambda d, i, s: simex(d, intercept=i, seed=s)),
        SIMEX_NAMES["published"]: Estimator(
            lambda d, i, s: simex(d, form="published", intercept=i, seed=s)
        ),
        "Reliability-corrected (DerSimonian-Laird)": Estimator(
            lambda d, i, _: reliability_corrected(d), with_intercept
        ),
        "Reliability-corrected (Paule-Mandel)": Estimator(
            lambda d, i, _: reliability_corrected(d, variance="paule_mandel"), with_intercept
        ),
        "Reliability-corrected (moments)": Estimator(
            lambda d, i, _: reliability_corrected(d, variance="moments"), with_intercept
        ),
        "Reliability-corrected, no covariance (DerSimonian-Laird)": Estimator(
            lambda d, i, _: reliability_corrected(d, covariance=False), with_intercept
        ),
        "Reliability-corrected, no covariance (Paule-Mandel)": Estimator(
            lambda d, i, _: reliability_corrected(d, variance="paule_mandel", covariance=False),
            with_intercept,
        ),
        POOLED_WALD: Estimator(lambda d, i, _: pooled_wald(d), through_origin),
        BIAS_CORRECTED_IV: Estimator(lambda d, i, _: bias_corrected_iv(d), through_origin),
        ON_PERSONS["2sls"]: Estimator(lambda d, i, _: person_level_iv(d, direct_effect=i)),
        ON_PERSONS["liml"]: Estimator(
            lambda d, i, _: person_level_iv(d, estimator="liml", direct_effect=i)
        ),
        ON_PERSONS["k_class"]: Estimator(
            lambda d, i, _: person_level_iv(d, estimator="k_class", direct_effect=i)
        ),
    }


ESTIMATORS: Mapping[str, Estimator] = MappingProxyType(_all())
"""Name, as tables show it, to estimator, in the order of tables."""


def all_estimates(
    data: SiteEstimates, *, intercept: bool = True, seed: int = 0
) -> tuple[ClassicalEstimate, ...]:
    """Apply every estimator to a table.

    Those that cannot take it (several mediators, or no intercept) come out as not defined, with
    the reason. Estimators of a line through the origin are among them whatever ``intercept``
    says: they stand beside it under assumptions of their own.

    Parameters
    ----------
    data
        Site estimates of P mediators.
    intercept
        Whether lines have an intercept.
    seed
        Seed; each estimator that simulates has a stream of its own.

    Returns
    -------
    tuple
        One `ClassicalEstimate` for each of `ESTIMATORS`, in their order.

    Raises
    ------
    ModelError
        If the seed is not valid.

    Examples
    --------
    >>> from bayesmed.data import MediatorColumns, SiteColumns, load_dataset
    >>> columns = SiteColumns(
    ...     (MediatorColumns("PD", "gamma_hat", se="gamma_se", cov="cov"),),
    ...     total_effect="tau_hat",
    ...     total_effect_se="tau_se",
    ... )
    >>> data = SiteEstimates.from_frame(load_dataset("berkey1998"), columns)
    >>> [e.name for e in all_estimates(data) if not e.defined]
    ['2SLS on persons', 'LIML on persons', 'k-class on persons']
    """
    seed = checked_seed(seed)
    return tuple(_tried(name, data, intercept, seed) for name in ESTIMATORS)


def _tried(name: str, data: SiteEstimates, intercept: bool, seed: int) -> ClassicalEstimate:
    try:
        return ESTIMATORS[name](data, intercept, seed=child_seed(seed, name))
    except DataError as error:
        reason = error.problem.rstrip(".")
        return ClassicalEstimate.undefined(name, data.mediators, _inside_a_sentence(reason))


def _inside_a_sentence(text: str) -> str:
    """Begin in lower case, names in capitals aside."""
    return text if text[1:2].isupper() else text[0].lower() + text[1:]
