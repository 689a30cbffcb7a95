r"""Binary treatment, instrument and mediator: types of persons, or the eight cells as they are.

Kim (2022), with persons of the type t = :math:`(M_{00},M_{01},M_{10},M_{11})` and

.. math::

    E[Y_{dm}\mid t]=a_{td}+b_{td}m,\qquad b_{td}\sim N(b_d,\sigma_{het}^2),\quad
    a_{td}\sim N(a_d,\sigma_a^2).

The equations are in :mod:`bayesmed.formulas.principal_strata`,
:mod:`bayesmed.formulas.strata_likelihood` and :mod:`bayesmed.formulas.binary_iv`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from bayesmed.core.errors import DataError, ModelError, nearest
from bayesmed.core.names import (
    CELL_MEAN,
    CELL_SD,
    INSTRUMENT_SHARE,
    INTERCEPT_HETEROGENEITY,
    INTERCEPT_MEAN,
    MEDIATOR_SHARE,
    OUTCOME_SD,
    SLOPE_HETEROGENEITY,
    SLOPE_MEAN,
    TYPE_INTERCEPT,
    TYPE_SHARE,
    TYPE_SLOPE,
)
from bayesmed.core.types import Floats
from bayesmed.data import TrialCells
from bayesmed.formulas.principal_types import MONOTONE, Monotone, principal_types
from bayesmed.generative import principal_strata_data, principal_strata_draws
from bayesmed.generative.principal_strata_data import DIMS, SUPPORTS
from bayesmed.generative.protocol import Draws
from bayesmed.generative.trial_model import TrialModel
from bayesmed.generative.trial_parameters import Coords, Parameter, check_priors, check_support
from bayesmed.priors import Prior

OutcomeLikelihood = Literal["auto", "moments", "mixture", "counts"]

HETEROGENEITY = Prior("HalfNormal", sigma=0.5, unit="scaled")


@dataclass(frozen=True, repr=False)
class PrincipalStrata(TrialModel[TrialCells]):
    r"""Natural effects through a binary mediator, from an instrument, by types of persons.

    Parameters
    ----------
    saturated
        Leave types aside: the share with the mediator and the mean outcome of every cell are
        parameters, and effects are those that instrumental variables have.
    monotone_in
        In what the mediator never falls: ``"instrument"`` (Kim's assumption 4; 9 types),
        ``"treatment"`` (assumption 3; 9), ``"both"`` (6) or ``"none"`` (16).
    heterogeneity
        :math:`\sigma_{het}`, how far the mediator's effect varies between types: a number in
        outcome units (0: not at all, and instrumental variables hit the natural effects), or a
        prior. For an outcome of 0 and 1 counted as such it is on the scale of risk differences.
        The data speak to it weakly at best: vary it.
    outcome_likelihood
        ``"moments"``: means and variances of the outcome in the cells, whatever varies between
        types integrated out; the number of persons costs nothing. ``"mixture"``: normal persons
        around the means of their type, for which the cells need their persons' outcomes
        (``TrialCells.from_rows(..., keep_outcomes=True)``); it takes minutes for hundreds of
        persons and long for thousands. ``"counts"``: an outcome of 0 and 1,
        types having probabilities. ``"auto"``: counts where the outcome is 0 or 1, else moments.
    defiers
        :math:`\pi`, the share of persons whose mediator does fall where `monotone_in` says it
        never does, a number from 0 to less than 1: 0 is monotonicity. Which types they are is
        unknown. Data do not tell it from what those who obey may do: vary it.
    share_concentration
        Shares of types are Dirichlet with this concentration each, a number above 0; with
        defiers, so are those among them and among the others.
    priors
        Replacements of the default priors by parameter. With types: ``intercept_mean`` and
        ``slope_mean`` (a_d, b_d; normal, 2.5 sd of the outcome wide), ``intercept_heterogeneity``
        (σ_a; log-normal around 1 sd, away from 0), ``cell_sd`` (of persons in a cell; half-normal,
        2.5 sd) or, in a mixture, ``outcome_sd``. Saturated: ``mediator_share`` and ``cell_mean``
        (uniform for
        probabilities), ``cell_sd``. The prior of σ_het is ``heterogeneity``.

    Raises
    ------
    ModelError
        If a choice or a prior is unknown or impossible.

    Notes
    -----
    Assumes that treatment and instrument are each as good as random and independent, that the
    instrument moves the outcome through the mediator only, and what ``monotone_in`` says.

    With ``"counts"`` slopes :math:`b_{td}` are normal around :math:`b_d`, truncated to between -1
    and 1, and :math:`a_{td}` uniform over the probabilities that leaves. Strata of covariates have
    types of their own; :math:`\sigma_a` and :math:`\sigma_{het}` are common to them.

    Some :math:`b_{td}` meet no data, so natural effects are identified in part only: how wide
    their posterior is rests on :math:`\sigma_{het}`.

    Examples
    --------
    >>> PrincipalStrata(heterogeneity=0.0).parameters
    ('intercept_mean', 'slope_mean', 'intercept_heterogeneity', 'cell_sd')
    >>> PrincipalStrata(saturated=True).parameters
    ('mediator_share', 'cell_mean', 'cell_sd')
    """

    saturated: bool = False
    monotone_in: Monotone = "instrument"
    heterogeneity: float | Prior = HETEROGENEITY
    outcome_likelihood: OutcomeLikelihood = "auto"
    share_concentration: float = 1.0
    defiers: float = 0.0
    priors: Mapping[str, Prior] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._check_choices()
        known = (*self.parameters, CELL_SD)
        supports = {name: SUPPORTS[name] for name in known if name != SLOPE_HETEROGENEITY}
        if SLOPE_HETEROGENEITY in self.priors:
            raise ModelError(
                f"priors sets {SLOPE_HETEROGENEITY!r}.", "Give the prior as `heterogeneity`."
            )
        check_priors(self.priors, supports)
        for name in ("heterogeneity", "share_concentration", "defiers"):
            if not isinstance(getattr(self, name), Prior):
                object.__setattr__(self, name, float(getattr(self, name)))
        object.__setattr__(self, "priors", MappingProxyType(dict(self.priors)))

    def __hash__(self) -> int:
        return hash(self.identity())

    @property
    def data_kinds(self) -> tuple[type, ...]:
        """The kinds of data the model takes."""
        return (TrialCells,)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters with a prior; where the outcome is counted there is no sd."""
        spread = {"counts": (), "mixture": (OUTCOME_SD,)}.get(self.outcome_likelihood, (CELL_SD,))
        if self.saturated:
            return (MEDIATOR_SHARE, CELL_MEAN, *spread)
        het = (SLOPE_HETEROGENEITY,) if isinstance(self.heterogeneity, Prior) else ()
        levels = (INTERCEPT_MEAN, SLOPE_MEAN)
        if self.outcome_likelihood == "counts":
            return (SLOPE_MEAN, *het)
        return (*levels, INTERCEPT_HETEROGENEITY, *het, *spread)

    @property
    def derived(self) -> tuple[str, ...]:
        """Names of parameters that have a prior of no choice, or follow from others."""
        of_types = () if self.saturated else (TYPE_SHARE, TYPE_INTERCEPT, TYPE_SLOPE)
        return (*of_types, INSTRUMENT_SHARE)

    @property
    def types(self) -> Floats:
        """(T, 2, 2) the types that are allowed, as `principal_types` returns them."""
        return principal_types("none" if self.defiers else self.monotone_in)

    @property
    def falling(self) -> bool:
        """Whether there may be persons whose mediator falls with the instrument."""
        return self.monotone_in in ("treatment", "none") or self.defiers > 0

    def likelihood_for(self, data: TrialCells) -> str:
        """Return how the outcome enters: "moments", "mixture" or "counts"."""
        if self.outcome_likelihood != "auto":
            return self.outcome_likelihood
        return "counts" if data.binary_outcome else "moments"

    def table(self, data: TrialCells) -> tuple[Parameter, ...]:
        """Return the parameters that have a prior of choice, in order."""
        return principal_strata_data.table(self, data)

    def dims(self) -> Mapping[str, tuple[str, ...]]:
        """Return the axes of every parameter that is no single number."""
        return DIMS

    def coords(self, data: TrialCells) -> Coords:
        """Return the labels along every axis."""
        return principal_strata_data.coords(self, data)

    def check_data(self, data: TrialCells) -> None:
        """Refuse data the model has no likelihood for.

        Raises
        ------
        DataError
            If counts are asked for and the outcome is not 0 or 1, or a mixture and the outcomes
            of persons are not there.
        """
        how = self.likelihood_for(data)
        if how == "counts" and not data.binary_outcome:
            raise DataError(
                f"{data.source}, {data.names.outcome!r}: the outcome is not 0 or 1.",
                'Set outcome_likelihood = "moments".',
            )
        if how == "mixture" and data.outcomes is None:
            raise DataError(
                f"{data.source}: a mixture needs the outcome of every person.",
                "Make the cells by TrialCells.from_rows(rows, keep_outcomes=True).",
            )
        for name, prior in self.priors_for(data).items():
            averages = name.split("[", 1)[0] in (INTERCEPT_MEAN, SLOPE_MEAN)
            if how == "moments" and averages and prior.distribution != "Normal":
                raise ModelError(
                    f"The prior of {name} is {prior}, and averages over types are integrated out.",
                    'Give a Normal prior, or set outcome_likelihood = "mixture".',
                )
            if how == "counts" and name.split("[", 1)[0] == SLOPE_MEAN:
                check_support(name, prior, "correlation")
        known = {parameter.name for parameter in self.table(data)}
        for name in self.priors:
            if name.split("[", 1)[0] not in known:
                raise ModelError(
                    f"priors sets {name!r}, which a model of an outcome taken as {how} has not.",
                    f"Its parameters are {', '.join(sorted(known))}.",
                )

    def form(self, data: TrialCells) -> Hashable:
        """Return what else than sizes and prior families changes the graph."""
        varies = isinstance(self.heterogeneity, Prior)
        monotone = None if self.saturated else (self.monotone_in, self.defiers > 0)
        return self.likelihood_for(data), self.saturated, monotone, varies, data.n_strata

    def observations(self, data: TrialCells) -> dict[str, Floats]:
        """Return the values of the graph's data nodes, standardised."""
        return principal_strata_data.observations(self, data)

    def varying(self) -> frozenset[str]:
        """Names of the data nodes whose first axis may change its length."""
        return frozenset({principal_strata_data.PERSONS})

    def integrated(self, data: TrialCells) -> frozenset[str]:
        """Averages over types are integrated out with the types where moments are looked at."""
        moments = not self.saturated and self.likelihood_for(data) == "moments"
        return frozenset((INTERCEPT_MEAN, SLOPE_MEAN)) if moments else frozenset()

    def target_accept(self, data: TrialCells) -> float:
        """Return the acceptance to aim for: probabilities of types have corners."""
        return 0.95 if self.replaced(data) else 0.9

    def replaced(self, data: TrialCells) -> frozenset[str]:
        """Where outcomes are counted, averages of slopes follow from what cells tell of them."""
        return principal_strata_data.replaced(self, data)

    def add_coordinates(
        self, parameters: Mapping[str, Any], nodes: Mapping[str, Any], data: TrialCells
    ) -> dict[str, Any]:
        """Add shares and slopes of types, and the slope that is told in the place of b_d."""
        from bayesmed.generative import principal_strata_graph

        return principal_strata_graph.add_coordinates(self, parameters, nodes, data)

    def add_likelihood(
        self, parameters: Mapping[str, Any], nodes: Mapping[str, Any], data: TrialCells
    ) -> None:
        """Add shares of types, and the density of the cells, to the graph on the stack."""
        from bayesmed.generative import principal_strata_graph

        principal_strata_graph.add_likelihood(self, parameters, nodes, data)

    def completed(
        self, draws: Draws, data: TrialCells, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Return every parameter in data units, those that were integrated out drawn."""
        return principal_strata_draws.completed(self, draws, data, rng)

    def prior_completed(
        self, draws: Draws, data: TrialCells, n: int, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Return every parameter, those of `table` given, the others drawn from their prior."""
        return principal_strata_draws.prior_completed(self, draws, data, n, rng)

    def log_likelihood(self, draws: Draws, data: TrialCells) -> tuple[str, Floats]:
        """Log-density of the persons at each treatment and instrument, given types' means."""
        return principal_strata_draws.log_likelihood(self, draws, data)

    def replicated(
        self, draws: Draws, data: TrialCells, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Draw cells of as many persons at each treatment and instrument."""
        return principal_strata_draws.replicated(self, draws, data, rng)

    def simulated(
        self, draws: Draws, data: TrialCells, rng: np.random.Generator
    ) -> tuple[TrialCells, dict[str, Floats]]:
        """Draw as many persons at each treatment and instrument; see `TrialModel.simulated`."""
        return principal_strata_draws.simulated(self, draws, data, rng)

    def observed(self, data: TrialCells) -> dict[str, tuple[tuple[str, ...], Floats]]:
        """Return the share with the mediator, and the cells' means and sds, NaN where unknown."""
        return principal_strata_data.observed(data)

    def _check_choices(self) -> None:
        if not isinstance(self.saturated, bool):
            raise ModelError(f"saturated is {self.saturated!r}.", "Write true or false.")
        for name, known in (
            ("monotone_in", MONOTONE),
            ("outcome_likelihood", get_args(OutcomeLikelihood)),
        ):
            choice = getattr(self, name)
            if choice not in known:
                raise ModelError(
                    f"The {name} of a principal_strata model is {choice!r}.",
                    nearest(str(choice), known),
                )
        if self.saturated and self.outcome_likelihood == "mixture":
            raise ModelError(
                "A saturated model has no types to mix.", 'Set outcome_likelihood = "moments".'
            )
        het: Any = self.heterogeneity
        if isinstance(het, Prior):
            check_support("heterogeneity", het, "positive")
        elif not _is_number(het) or het < 0:
            raise ModelError(
                f"heterogeneity is {het!r}.", "Give a number from 0 on, or a prior of one."
            )
        weight: Any = self.share_concentration
        if not _is_number(weight) or weight <= 0:
            raise ModelError(f"share_concentration is {weight!r}.", "Give a number above 0.")
        self._check_defiers()

    def _check_defiers(self) -> None:
        share: Any = self.defiers
        if not _is_number(share) or not 0 <= share < 1:
            raise ModelError(f"defiers is {share!r}.", "Give a number from 0 to less than 1.")
        if share and (self.saturated or self.monotone_in == "none"):
            what = "types" if self.saturated else "monotonicity"
            raise ModelError(
                f"defiers is {share!r}, and the model has no {what} to defy.",
                'Leave defiers out, or set monotone_in = "instrument".',
            )


def _is_number(value: object) -> bool:
    known = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return known and math.isfinite(value)  # type: ignore[arg-type]  # a number, as just found
