r"""Persons whose compliance and benefit may go together: correlated random coefficients.

Reardon and Raudenbush (2013), sections 2 and 3, in one randomised trial:

.. math::

    M_i = m_{0i} + \Gamma_iT_i,\quad Y_i = y_{0i} + [\theta T_i] + \Delta_iM_i,\quad
    (m_{0i}, y_{0i}, \Gamma_i, \Delta_i) \sim N(\mu, \Omega).

Persons' coefficients are integrated out. The equations are in
:mod:`bayesmed.formulas.random_coefficients`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from bayesmed.core.names import TREATMENT_GROUP
from bayesmed.core.types import Floats
from bayesmed.data import TrialPersons
from bayesmed.generative import random_coefficients_checks as checks
from bayesmed.generative.protocol import Draws
from bayesmed.generative.random_coefficients_binary import BinaryMediator
from bayesmed.generative.random_coefficients_normal import NormalMediator
from bayesmed.generative.random_coefficients_parameters import PERSON
from bayesmed.generative.random_coefficients_statistics import groups, statistics
from bayesmed.generative.trial_model import TrialModel
from bayesmed.generative.trial_parameters import Parameter
from bayesmed.priors import Prior

MediatorKind = Literal["auto", "normal", "binary"]


@dataclass(frozen=True, repr=False)
class RandomCoefficients(TrialModel[TrialPersons]):
    r"""Effects of a mediator that differ between persons, as compliance does.

    The Wald ratio is the mediator's average effect only if the persons whom treatment moves most do
    not benefit more, or less, than others. This model lets them, and tells both effects apart.

    Parameters
    ----------
    direct_effect
        Whether treatment also works past the mediator, by the same :math:`\theta` for everybody.
        Only for a normal mediator. With two arms nothing but the variances of the outcome at given
        mediator tells it from the mediator's effect then: compare other priors.
    mediator
        ``"normal"``: coefficients of persons are normal, correlated at will; treatment is binary
        or an amount. ``"binary"``: mediator and treatment are 0 or 1; the outcome is normal in each
        of the four cells, and no distribution of coefficients is assumed. ``"auto"``: binary where
        mediator and treatment are.
    priors
        Replacements of the default priors by parameter, or by entry (``"cell_mean[0, 1]"``).

    Raises
    ------
    ModelError
        If a choice or a prior is unknown or impossible.

    Notes
    -----
    Levels (``mediator_level``, ``outcome_level``), their spreads and the correlations are those at
    the average treatment and mediator of the data, so that no prior depends on where zero is.
    Default priors, in standard deviations of treatment, mediator and outcome: means N(0, 2.5²)
    about the average; spreads of levels half-normal with scale 1, of effects with scale .5; all
    correlation matrices equally likely. A binary mediator's share is uniform.

    With two arms the spread of the mediator in each of them (``mediator_sd``) has a prior, and
    correlations are uniform among the mediators under either treatment, the outcome's level and its
    slope. How a person's mediators under both treatments go together is never seen: the prior alone
    says it, and with it ``mediator_effect_sd``. No effect depends on it.

    Assumes that treatment was randomised and, unless there is a `direct_effect`, works through the
    mediator only. What tells :math:`\mathrm{Cov}(\Delta,\Gamma)` from the average effect is how
    the outcome bends in the mediator at a given treatment: that rests on normal coefficients.

    Examples
    --------
    >>> RandomCoefficients(mediator="binary").parameters
    ('mediator_share', 'cell_mean', 'cell_sd')
    >>> RandomCoefficients(mediator="normal").parameters[:4]
    ('slope', 'mediator_effect', 'mediator_level', 'outcome_level')
    """

    direct_effect: bool = False
    mediator: MediatorKind = "auto"
    priors: Mapping[str, Prior] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.check_choices(self)
        object.__setattr__(self, "priors", MappingProxyType(dict(self.priors)))

    def __hash__(self) -> int:
        return hash(self.identity())

    def target_accept(self, data: TrialPersons) -> float:
        """Return the acceptance to aim for: a smooth posterior allows longer steps."""
        return 0.85

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters with a prior, for any data the choices allow."""
        return tuple(dict.fromkeys(name for part in self._parts() for name in part.parameters))

    @property
    def derived(self) -> tuple[str, ...]:
        """Names of parameters that follow from others, or have a uniform prior, for any data."""
        known = self.parameters
        names = dict.fromkeys(name for part in self._parts() for name in part.derived)
        return tuple(name for name in names if name not in known)

    @property
    def data_kinds(self) -> tuple[type, ...]:
        """Persons: moments do not tell the bend of the outcome in the mediator."""
        return (TrialPersons,)

    def kind(self, data: TrialPersons) -> Literal["normal", "binary"]:
        """Say how the mediator of these data is treated."""
        if self.mediator == "auto":
            return "binary" if checks.is_binary(data) else "normal"
        return self.mediator

    def table(self, data: TrialPersons) -> tuple[Parameter, ...]:
        """Return the parameters that have a prior of choice, in order."""
        return self.part(data).table(data)

    def dims(self) -> dict[str, tuple[str, ...]]:
        """Return the axes of every parameter that is no single number."""
        return {name: dims for part in self._parts() for name, dims in part.dims().items()}

    def coords(self, data: TrialPersons) -> dict[str, tuple[str, ...]]:
        """Return the labels along every axis."""
        return {**self.part(data).coords(data), TREATMENT_GROUP: groups(data)[0]}

    def check_data(self, data: TrialPersons) -> None:
        """Refuse persons the model has no likelihood for.

        Raises
        ------
        DataError
            If there are covariates, too few persons, a mediator of another kind than was chosen, or
            a variable that does not vary where it must.
        """
        checks.check_persons(self, data)

    def form(self, data: TrialPersons) -> Hashable:
        """Return what changes the graph: arms or amounts, binary mediator, direct effect."""
        return self.part(data)

    def observations(self, data: TrialPersons) -> dict[str, Floats]:
        """Return standardised persons, or counts, means and squares by cell."""
        return self.part(data).observations(data)

    def varying(self) -> frozenset[str]:
        """Name the node of the persons."""
        return frozenset().union(*(part.varying for part in self._parts()))

    def add_likelihood(
        self, parameters: Mapping[str, Any], nodes: Mapping[str, Any], data: TrialPersons
    ) -> None:
        """Add correlations and likelihood to the graph on the stack."""
        self.part(data).add_likelihood(parameters, nodes)

    def completed(
        self, draws: Draws, data: TrialPersons, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Return every parameter in data units, correlations as matrices (n, 4, 4)."""
        return self.part(data).completed(draws, data)

    def prior_completed(
        self, draws: Draws, data: TrialPersons, n: int, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Draw the correlations from their prior."""
        return self.part(data).prior_completed(draws, data, n, rng)

    def log_likelihood(self, draws: Draws, data: TrialPersons) -> tuple[str, Floats]:
        """Return the log-densities (n, N) of mediator and outcome of every person."""
        return PERSON, self.part(data).log_likelihood(draws, data)

    def replicated(
        self, draws: Draws, data: TrialPersons, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Draw persons with the same treatments, and return their moments (n, groups)."""
        pieces = [
            self._statistics(m, y, data) for m, y in self.part(data).simulated(draws, data, rng)
        ]
        return {name: np.concatenate([p[name] for p in pieces]) for name in pieces[0]}

    def simulated(
        self, draws: Draws, data: TrialPersons, rng: np.random.Generator
    ) -> tuple[TrialPersons, dict[str, Floats]]:
        """Draw persons with the same treatments; see `TrialModel.simulated`."""
        first = {name: values[:1] for name, values in draws.items()}
        return self.part(data).new_persons(first, data, rng), first

    def observed(self, data: TrialPersons) -> dict[str, tuple[tuple[str, ...], Floats]]:
        """Return moments of mediator and outcome by arm, or by third of the amounts."""
        found = self._statistics(data.mediator[None], data.outcome[None], data)
        return {name: ((TREATMENT_GROUP,), values[0]) for name, values in found.items()}

    def _statistics(self, m: Floats, y: Floats, data: TrialPersons) -> dict[str, Floats]:
        labels, which = groups(data)
        return statistics(m, y, which, len(labels), curvature=self.kind(data) == "normal")

    def part(self, data: TrialPersons) -> NormalMediator | BinaryMediator:
        """Return what depends on the kind of mediator and treatment of these data."""
        if self.kind(data) == "binary":
            return BinaryMediator()
        return NormalMediator(self.direct_effect, len(np.unique(data.treatment)) == 2)

    def _parts(self) -> tuple[NormalMediator | BinaryMediator, ...]:
        """Return what the data may decide for."""
        normal = tuple(NormalMediator(self.direct_effect, two) for two in (True, False))
        if self.mediator == "binary":
            return (BinaryMediator(),)
        either = self.mediator == "normal" or self.direct_effect
        return normal if either else (*normal, BinaryMediator())
