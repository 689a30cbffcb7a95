r"""Covariates × treatment as instruments of a mediator, in one trial without sites.

Small (2012), section 5, as a generative model, X about its mean over persons:

.. math::

    M = a + b'X + cR + d'(R\cdot X) + v,\qquad
    Y = \alpha + \beta'X + \theta_{Ri}R + \theta_{Mi}M + e,\qquad \mathrm{Corr}(e, v)=\psi .

The equations are in :mod:`bayesmed.formulas.covariate_iv`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from bayesmed.classical.trial_products import TrialData
from bayesmed.core.errors import ModelError
from bayesmed.core.names import OUTCOME_SD
from bayesmed.core.types import Floats
from bayesmed.data import TrialMoments, TrialPersons
from bayesmed.generative import (
    covariate_iv_checks,
    covariate_iv_draws,
    covariate_iv_parameters,
)
from bayesmed.generative.covariate_iv_checks import (
    ErrorKind,
    MediatorKind,
    Modifiers,
    PersonEffects,
)
from bayesmed.generative.covariate_iv_coordinates import Layout
from bayesmed.generative.covariate_iv_data import observations
from bayesmed.generative.covariate_iv_parameters import (
    DIRECT_MODIFIER,
    ERROR_CORRELATION,
    SLOPE_MODIFIER,
    SUPPORTS,
)
from bayesmed.generative.covariate_iv_rows import TrialRows, person_rows, product_rows
from bayesmed.generative.protocol import Draws
from bayesmed.generative.trial_model import TrialModel
from bayesmed.generative.trial_parameters import Coords, Parameter, check_priors, priors_by_entry
from bayesmed.priors import Prior


@dataclass(frozen=True, repr=False)
class CovariateIV(TrialModel[TrialData]):
    r"""Effect of a confounded mediator, told by covariates that change how treatment moves it.

    Parameters
    ----------
    instruments
        Covariates whose product with treatment is an instrument; empty for all of them. The others
        are controls.
    control_interactions
        Whether treatment × controls are in both equations: the direct effect may differ with
        controls. Without, it fails where they do and go with the instruments' covariates.
    mediator
        ``"normal"``; or ``"probit"`` for a mediator of 0 and 1, taken where
        :math:`a+b'X+cR+d'(R\cdot X)+v>0` with :math:`v\sim N(0,1)`.
    person_effects
        ``"constant"``; or ``"random"``: :math:`(\theta_{Ri}, \theta_{Mi})` normal around their
        means given X, with standard deviations ``direct_effect_sd``, ``slope_sd`` and a
        correlation. With errors by arm ``direct_effect_sd`` is told from the errors of the treated
        by its prior and by how their variance changes with the mediator only.
    errors
        ``"by_arm"``: :math:`\sigma_v, \sigma_e, \psi` of each arm; ``"common"``.
    direct_modifier, slope_modifier
        :math:`\tau_R, \tau_M` by covariate of an instrument: how much a unit of it changes the
        direct effect, and the mediator's; 0 where not given. Numbers are taken as known. A prior of
        :math:`\tau_R` makes it a parameter. A prior of :math:`\tau_M` is cut: values are drawn from
        it, the model is fitted given each, and the posteriors are pooled, so that the data do not
        move it: what they say of it comes from the form of the model alone.
    priors
        Replacements of the default priors by parameter. Scaled by standard deviations of mediator,
        outcome and covariate, they are Normal(0, 2.5) for the slope and everything in the
        mediator's equation, and Normal(0, 5) for the rest of the outcome's, whose values move with
        the slope; HalfNormal(1) for ``mediator_sd``, HalfNormal(2.5) for ``outcome_sd``,
        Uniform(-1, 1) for correlations, HalfNormal(1) for the spread of persons' effects.

    Raises
    ------
    ModelError
        If a choice or a prior is unknown or impossible.

    Notes
    -----
    Intercepts are where every covariate is at its mean and in the first arm, that of the outcome
    also where the mediator is at its mean over persons.

    Assumes that treatment is randomised; that covariates change how it moves the mediator (IV-A1);
    that they change neither the average direct effect nor the average slope, except as modifiers
    say (IV-A2); that the mediator is unrelated to persons' slopes given treatment and covariates
    (IV-A3); besides, unlike two-stage least squares, that errors are normal and, with random
    effects of persons, unrelated to them.

    A uniform :math:`\psi` is no vague prior of the slope where instruments are weak. A slope at t
    residual standard deviations from least squares needs :math:`\psi=\pm t/\sqrt{1+t^2}`, so that
    its prior falls off like :math:`1/(1+t^2)` for each arm with errors of its own: without any
    instrument the posterior is Student's around least squares. A prior of ``error_correlation``
    with more weight near -1 and 1 pulls less.

    With normal errors and effects that are the same for all, moments by arm are all that is read,
    whatever the number of persons.

    Examples
    --------
    >>> CovariateIV(mediator="probit").parameters[:3]
    ('slope', 'direct_effect', 'mediator_effect')
    >>> CovariateIV(direct_modifier={"age": 0.5}).direct_modifier
    (('age', 0.5),)
    """

    instruments: tuple[str, ...] = ()
    control_interactions: bool = True
    mediator: MediatorKind = "normal"
    person_effects: PersonEffects = "constant"
    errors: ErrorKind = "by_arm"
    direct_modifier: Modifiers | Mapping[str, float | Prior] = ()
    slope_modifier: Modifiers | Mapping[str, float | Prior] = ()
    priors: Mapping[str, Prior] = field(default_factory=dict)

    def __post_init__(self) -> None:
        covariate_iv_checks.check_choices(self)
        object.__setattr__(self, "instruments", tuple(self.instruments))
        for name in (DIRECT_MODIFIER, SLOPE_MODIFIER):
            pairs = covariate_iv_checks.modifier_pairs(name, getattr(self, name))
            object.__setattr__(self, name, pairs)
        covariate_iv_checks.check_modified(self)
        known = set(self.parameters) - {DIRECT_MODIFIER}
        check_priors(self.priors, {k: v for k, v in SUPPORTS.items() if k in known})
        object.__setattr__(self, "priors", MappingProxyType(dict(self.priors)))

    def __hash__(self) -> int:
        return hash(self.identity())

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters with a prior, in the order outputs list them."""
        return covariate_iv_parameters.names_of(self)

    @property
    def derived(self) -> tuple[str, ...]:
        """Names of parameters with a prior that the data do not update."""
        return (SLOPE_MODIFIER,) if self.uncertain_slope else ()

    @property
    def data_kinds(self) -> tuple[type, ...]:
        """Moments, and persons where these are not enough."""
        kinds = TrialMoments, TrialPersons
        return kinds[::-1] if self.by_person else kinds

    @property
    def direct_pairs(self) -> Modifiers:
        """Direct modifiers by covariate."""
        assert isinstance(self.direct_modifier, tuple)
        return self.direct_modifier

    @property
    def slope_pairs(self) -> Modifiers:
        """Slope modifiers by covariate."""
        assert isinstance(self.slope_modifier, tuple)
        return self.slope_modifier

    @property
    def uncertain_direct(self) -> tuple[str, ...]:
        """Covariates whose direct modifier has a prior."""
        return tuple(k for k, v in self.direct_pairs if isinstance(v, Prior))

    @property
    def uncertain_slope(self) -> tuple[str, ...]:
        """Covariates whose slope modifier has a prior, which the data do not update."""
        return tuple(k for k, v in self.slope_pairs if isinstance(v, Prior))

    @property
    def by_person(self) -> bool:
        """Whether the likelihood is one of persons: moments are not enough."""
        return self.mediator == "probit" or self.person_effects == "random"

    def target_accept(self, data: TrialData) -> float:
        """Return the acceptance to aim for: spreads of persons' effects have a corner."""
        return 0.98 if self.person_effects == "random" else 0.9

    @property
    def free_errors(self) -> bool:
        """Whether errors may be anything, and are sampled as least squares sees them."""
        wide = {ERROR_CORRELATION: (-1.0, 1.0), OUTCOME_SD: (0.0, math.inf)}
        return all(
            prior.support == wide[base]
            for name, prior in self.priors.items()
            if (base := name.split("[", 1)[0]) in wide
        )

    def rows(self, data: TrialData) -> TrialRows:
        """Return persons, or rows with their sums of products where these are enough."""
        if self.by_person:
            assert isinstance(data, TrialPersons)
            return person_rows(data)
        return product_rows(data)

    def table(self, data: TrialData) -> tuple[Parameter, ...]:
        """Return the parameters that have a prior of choice, in order."""
        return covariate_iv_parameters.table_of(self, self.rows(data))

    def dims(self) -> Mapping[str, tuple[str, ...]]:
        """Return the axes of every parameter that is no single number."""
        return covariate_iv_parameters.dims_of(self)

    def coords(self, data: TrialData) -> Coords:
        """Return the labels along every axis."""
        from bayesmed.generative.covariate_iv_prediction import mediator_only

        return covariate_iv_parameters.coords_of(self, data.names, mediator_only(self, data))

    def priors_for(self, data: TrialData) -> dict[str, Prior]:
        """Return every prior of choice in the units of the data, by entry."""
        modifiers = {
            f"{DIRECT_MODIFIER}[{name}]": value
            for name, value in self.direct_pairs
            if isinstance(value, Prior)
        }
        return priors_by_entry(self.table(data), self.coords(data), {**self.priors, **modifiers})

    def check_data(self, data: TrialData) -> None:
        """Refuse data the model has no likelihood for.

        Raises
        ------
        DataError
            If persons are needed or too few, treatment is an amount, the mediator is not binary
            for a probit, or columns are collinear.
        ModelError
            If there is no such covariate.
        """
        covariate_iv_checks.check_data(self, data)

    def form(self, data: TrialData) -> Hashable:
        """Return what else than sizes and prior families changes the graph."""
        return Layout.of(self, data.names), self.person_effects, self.uncertain_direct != ()

    def observations(self, data: TrialData) -> dict[str, Floats]:
        """Return the values of the graph's data nodes, standardised.

        Raises
        ------
        ModelError
            If a slope modifier has a prior: the model is fitted given values drawn from it.
        """
        if self.uncertain_slope:
            raise ModelError(
                f"The slope modifier of {self.uncertain_slope[0]!r} has a prior, which data do not "
                "update: there is no one graph.",
                "Fit the model, or give numbers to build it.",
            )
        return observations(self, self.rows(data))

    def varying(self) -> frozenset[str]:
        """Names of the data nodes whose first axis may change its length without compiling."""
        return frozenset({"columns"}) if self.by_person else frozenset()

    def replaced(self, data: TrialData) -> frozenset[str]:
        """Names of the parameters that follow from coordinates."""
        return covariate_iv_draws.replaced(self)

    def add_coordinates(
        self, parameters: Mapping[str, Any], nodes: Mapping[str, Any], data: TrialData
    ) -> dict[str, Any]:
        """Add the variables that are sampled in place of coefficients and errors."""
        from bayesmed.generative import covariate_iv_graph

        layout = Layout.of(self, data.names)
        return covariate_iv_graph.add_coordinates(layout, self.dims(), parameters, nodes)

    def add_likelihood(
        self, parameters: Mapping[str, Any], nodes: Mapping[str, Any], data: TrialData
    ) -> None:
        """Add the log-density of moments or persons."""
        from bayesmed.generative import covariate_iv_graph

        covariate_iv_graph.add_likelihood(self, Layout.of(self, data.names), parameters, nodes)

    def completed(
        self, draws: Draws, data: TrialData, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Return every parameter in data units."""
        return covariate_iv_draws.completed(self, draws, data)

    def prior_completed(
        self, draws: Draws, data: TrialData, n: int, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Return every parameter, slope modifiers with a prior drawn from it."""
        if not self.cut:
            return dict(draws)
        priors = covariate_iv_draws.slope_priors(self, data)
        drawn = np.stack([prior.draw(rng, (n,)) for prior in priors], axis=-1)
        return {**draws, SLOPE_MODIFIER: drawn}

    @property
    def cut(self) -> int:
        """Number of slope modifiers with a prior, which data do not update."""
        return len(self.uncertain_slope)

    def given(self, at: Floats, data: TrialData) -> tuple[CovariateIV, dict[str, Floats]]:
        """Return the model with numbers in the place of slope modifiers' priors, and the numbers.

        Parameters
        ----------
        at
            (cut,) probabilities: the numbers are these quantiles of the priors.
        data
            Its units are those of scaled priors.
        """
        pairs = zip(covariate_iv_draws.slope_priors(self, data), at, strict=True)
        values = np.array([float(prior.quantile(u)) for prior, u in pairs])
        drawn = dict(zip(self.uncertain_slope, values.tolist(), strict=True))
        chosen = tuple({**dict(self.slope_pairs), **drawn}.items())
        return replace(self, slope_modifier=chosen), {SLOPE_MODIFIER: values}

    def log_likelihood(self, draws: Draws, data: TrialData) -> tuple[str, Floats]:
        """Log-densities by person where there are persons, else by arm."""
        from bayesmed.generative import covariate_iv_prediction

        return covariate_iv_prediction.log_likelihood(self, draws, data)

    def replicated(
        self, draws: Draws, data: TrialData, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Draw new mediators and outcomes of the same persons; see `observed`."""
        from bayesmed.generative import covariate_iv_prediction

        return covariate_iv_prediction.replicated(self, draws, data, rng)

    def simulated(
        self, draws: Draws, data: TrialData, rng: np.random.Generator
    ) -> tuple[TrialData, dict[str, Floats]]:
        """Draw the mediators and outcomes of the same persons anew; see `TrialModel.simulated`.

        Raises
        ------
        DataError
            If the data are moments.
        """
        from bayesmed.generative import covariate_iv_prediction

        return covariate_iv_prediction.simulated(self, draws, data, rng)

    def observed(self, data: TrialData) -> dict[str, tuple[tuple[str, ...], Floats]]:
        """Means and covariances of mediator and outcome by arm, and their slopes on covariates."""
        from bayesmed.generative import covariate_iv_prediction

        return covariate_iv_prediction.observed(self, data)
