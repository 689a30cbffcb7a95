r"""How strong sites are as instruments for the mediators, from site estimates."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from bayesmed.classical.bces import checked_weights
from bayesmed.classical.canonical import canonical
from bayesmed.classical.least_squares import no_least_squares
from bayesmed.classical.rank import Directions, directions
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.formulas.strength import (
    conditional_f,
    first_stage_f,
    precision_weight,
    relative_bias,
    reliability,
    spread_and_noise,
)


@dataclass(frozen=True, eq=False)
class Strength:
    """Strength and rank of the estimated mediator effects; NaN where not defined.

    Attributes
    ----------
    mediators
        Names of the P mediators.
    intercept
        Whether only the spread about the mean counts, as for a line with an intercept.
    first_stage_f
        (P,) F of each mediator alone.
    conditional_f
        (P,) F of each mediator given the others, `bayesmed.formulas.strength.conditional_f`.
    relative_bias
        (P,) share of the bias of least squares on persons that two-stage least squares keeps.
    reliability
        (P,) share of the spread that is true, in equal weights unless some are given.
    singular_values
        (P,) of the effects in units of sampling error, largest first: not by mediator, but by
        direction.
    noise_level
        About what a direction without true effects has, √S, or √(S - 1) with an intercept.
    rank
        How many directions stand out of sampling error (`bayesmed.formulas.rank`).
    rank_p_value
        Probability of as much spread if one direction fewer than P had true effects.
    untold
        Mediators without which fewer directions would be missing; empty at full rank.
    combination
        Coefficients of their effects in the one direction that is missing, in their units: that
        sum is 0 (the same, with an intercept) at all sites but for sampling error. Empty where
        none is missing, or several are.
    exact
        Whether strength would be infinite: some combination of effects has no sampling error.
    reason
        Why nothing is defined; empty otherwise.
    """

    mediators: tuple[str, ...]
    intercept: bool
    first_stage_f: Floats
    conditional_f: Floats
    relative_bias: Floats
    reliability: Floats
    singular_values: Floats
    noise_level: float
    rank: int = 0
    rank_p_value: float = math.nan
    untold: tuple[str, ...] = ()
    combination: tuple[float, ...] = ()
    exact: bool = False
    reason: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                array = np.array(value, dtype=np.float64)
                array.flags.writeable = False
                object.__setattr__(self, field.name, array)

    @property
    def defined(self) -> bool:
        """Whether the numbers exist."""
        return not self.reason


def strength(
    data: SiteEstimates, *, intercept: bool = True, weights: npt.ArrayLike | None = None
) -> Strength:
    """Compute strength, rank, reliability and implied bias (`bayesmed.formulas.strength`).

    Rows are taken as independent, those of one block too.

    Parameters
    ----------
    data
        Site estimates of P mediators.
    intercept
        Whether strength is that of a line with an intercept, for which effects that are large and
        everywhere the same are no instrument.
    weights
        (R,) weights, n p (1 - p) for the F and the bias of two-stage least squares on persons. By
        default those of precision (`bayesmed.formulas.strength.precision_weight`; in the F of
        each mediator its own, 1/se²), and equal ones in the reliability.

    Returns
    -------
    Strength
        Not defined where there are too few sites, effects are collinear or known without error.

    Raises
    ------
    DataError
        If weights are not R numbers, none negative and some positive.

    Examples
    --------
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[1, 2, 3, 4], total_effect=[2.0, 4.5, 6.0, 9.0],
    ...     cov=[0.25 * np.eye(2)] * 4)
    >>> found = strength(data, intercept=False)
    >>> found.first_stage_f.round(2).tolist(), found.relative_bias.round(4).tolist()
    ([30.0], [0.0333])
    """
    sites = canonical(data)
    effect, cov = sites.mediator, sites.mediator_cov
    given = None if weights is None else checked_weights(weights, data)[sites.order]
    undetermined = _no_spread(effect, given, intercept)
    reason = undetermined or _no_noise(data, cov, given)
    if reason:
        nan = (np.full(data.n_mediators, math.nan),) * 5
        exact = not undetermined
        return Strength(data.mediators, intercept, *nan, math.nan, exact=exact, reason=reason)
    equal = np.ones(data.n_rows)
    used = equal > 0
    if given is None:
        weight = precision_weight(cov)
        each = 1 / np.diagonal(cov, axis1=1, axis2=2)
    else:
        weight = each = given
        used = given > 0
    spread, noise = spread_and_noise(effect, cov, weight, intercept)
    plain = (
        (spread, noise) if given is not None else spread_and_noise(effect, cov, equal, intercept)
    )
    freedom = float(np.count_nonzero(used) - intercept)
    found = directions(spread, noise, freedom)
    return Strength(
        mediators=data.mediators,
        intercept=intercept,
        first_stage_f=first_stage_f(effect, cov, each, intercept),
        conditional_f=conditional_f(effect[used], cov[used], intercept),
        relative_bias=relative_bias(spread, noise),
        reliability=reliability(*plain),
        singular_values=found.singular_values,
        noise_level=math.sqrt(freedom),
        rank=found.rank,
        rank_p_value=found.p_value,
        untold=tuple(data.mediators[i] for i in found.untold),
        combination=_in_units(found, sites.mediator_factor, spread),
    )


def _in_units(found: Directions, factor: Floats, spread: Floats) -> tuple[float, ...]:
    """Coefficients of effects in the data's units, that of the largest part 1."""
    if not found.combination:
        return ()
    among = list(found.untold)
    canonical_units = np.array(found.combination)
    largest = np.argmax(np.abs(canonical_units) * np.sqrt(np.diagonal(spread)[among]))
    own = canonical_units * factor[among]
    return tuple((own / own[largest]).tolist())


def _no_spread(effect: Floats, given: Floats | None, intercept: bool) -> str:
    """Say why sites determine no line; "" where they do."""
    used = np.ones(len(effect), dtype=bool) if given is None else given > 0
    sites, p = int(used.sum()), effect.shape[1]
    if sites < p + intercept:
        return f"{sites} sites are too few for {p} mediators"
    return no_least_squares(effect[used], intercept)


def _no_noise(data: SiteEstimates, cov: Floats, given: Floats | None) -> str:
    """Say which effects are known without error, so that strength is infinite; "" if none."""
    used = np.ones(len(cov), dtype=bool) if given is None else given > 0
    size = np.sqrt(np.diagonal(cov[used], axis1=1, axis2=2))
    if (size == 0).any():
        exact = (data.mediator_se == 0) & used[np.argsort(canonical(data).order), None]
        row, column = np.argwhere(exact)[0]
        site, mediator = data.labels[row], data.mediators[column]
        return (
            f"the standard error of the effect on {mediator!r} of site {site!r} is 0, so its "
            "strength would be infinite"
        )
    corr = cov[used] / (size[:, :, None] * size[:, None, :])
    if np.linalg.eigvalsh(corr)[:, 0].min() < 1e-10:
        return "a combination of mediator effects has no sampling error at some site"
    return ""
