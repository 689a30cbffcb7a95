"""What all models of one trial share: everything that follows from choices, priors and a graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from bayesmed.core.display import Shown, displayed
from bayesmed.core.types import Floats
from bayesmed.generative.protocol import Draws
from bayesmed.generative.trial_parameters import (
    Coords,
    Parameter,
    entries,
    hyperparameters,
    priors_by_entry,
)
from bayesmed.priors import Prior

if TYPE_CHECKING:
    import pymc as pm

NUMBERS = "numbers"
"""The data node of all numbers of the priors and of the data, but for persons.

A node for each would take half a second to compile.
"""

JOINED = "joined"
"""Where a model hands over vectors of several parameters."""


@displayed(one_line=True)
class TrialModel[D](ABC):
    """A model of one trial without sites, for data of the kind D.

    Draws are arrays (n, ...) by parameter, the axes after n as `dims` names them.
    """

    priors: Mapping[str, Prior]

    @property
    @abstractmethod
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters with a prior, in the order outputs list them."""

    @property
    @abstractmethod
    def derived(self) -> tuple[str, ...]:
        """Names of parameters that follow from others, or have a prior of no choice."""

    @property
    @abstractmethod
    def data_kinds(self) -> tuple[type, ...]:
        """The kinds of data the model takes, the first as rows are reduced to it."""

    @abstractmethod
    def table(self, data: D) -> tuple[Parameter, ...]:
        """Return the parameters that have a prior of choice, in order."""

    @abstractmethod
    def dims(self) -> Mapping[str, tuple[str, ...]]:
        """Return the axes of every parameter that is no single number, derived ones included."""

    @abstractmethod
    def coords(self, data: D) -> Coords:
        """Return the labels along every axis."""

    @abstractmethod
    def check_data(self, data: D) -> None:
        """Refuse data the model has no likelihood for."""

    @abstractmethod
    def form(self, data: D) -> Hashable:
        """Return what else than sizes and prior families changes the graph."""

    @abstractmethod
    def observations(self, data: D) -> dict[str, Floats]:
        """Return the numbers the graph reads of the data, standardised, by name."""

    def varying(self) -> frozenset[str]:
        """Names of the data nodes whose first axis may change its length without compiling."""
        return frozenset()

    def integrated(self, data: D) -> frozenset[str]:
        """Names of the parameters that are integrated out: the graph has none of them."""
        return frozenset()

    def replaced(self, data: D) -> frozenset[str]:
        """Names of the parameters that follow from other variables which a sampler finds easier."""
        return frozenset()

    def add_coordinates(
        self, parameters: Mapping[str, Any], nodes: Mapping[str, Any], data: D
    ) -> dict[str, Any]:
        """Add the variables that are sampled in the place of the `replaced` parameters.

        Their logarithm of the Jacobian is to be added too; their priors are not.

        Parameters
        ----------
        parameters, nodes, data
            As in `add_likelihood`, the parameters without the replaced ones.

        Returns
        -------
        dict
            The replaced parameters, standardised, and what else `add_likelihood` is to get. Those
            that are parts of one vector may stand in `JOINED`, by the tuple of their names in the
            order of `table`, in place of one by one: their priors then compile in less time.
        """
        return {}

    @abstractmethod
    def add_likelihood(
        self, parameters: Mapping[str, Any], nodes: Mapping[str, Any], data: D
    ) -> None:
        """Add what is left of the model to the graph on the stack.

        Parameters
        ----------
        parameters
            The standardised parameters of `table` by name, but for those `integrated`.
        nodes
            The data nodes of `observations` by name.
        data
            For shapes; no number of it may enter the graph.
        """

    def target_accept(self, data: D) -> float:
        """Return the acceptance to aim for: more where the posterior has corners."""
        return 0.9

    @property
    def cut(self) -> int:
        """Number of parameters drawn from their prior, not updated by the data."""
        return 0

    def given(self, at: Floats, data: D) -> tuple[TrialModel[D], dict[str, Floats]]:
        """Return the model with its cut parameters fixed, and their values by name.

        Parameters
        ----------
        at
            (cut,) probabilities: the values are these quantiles of the priors.
        data
            What scaled priors depend on.
        """
        return self, {}

    @abstractmethod
    def completed(self, draws: Draws, data: D, rng: np.random.Generator) -> dict[str, Floats]:
        """Return every parameter in data units, those that were integrated out drawn.

        Parameters
        ----------
        draws
            Arrays (n, ...): parameters of `table` in data units by name, and other variables of
            the graph as they were sampled.
        data
            The data, which what was integrated out depends on.
        rng
            Source of randomness.
        """

    @abstractmethod
    def prior_completed(
        self, draws: Draws, data: D, n: int, rng: np.random.Generator
    ) -> dict[str, Floats]:
        """Return every parameter, those of `table` given, the others drawn from their prior."""

    @abstractmethod
    def log_likelihood(self, draws: Draws, data: D) -> tuple[str, Floats]:
        """Return the name of the axis of independent units, and their log-densities (n, units)."""

    @abstractmethod
    def replicated(self, draws: Draws, data: D, rng: np.random.Generator) -> dict[str, Floats]:
        """Draw new data of the same size and return what `observed` returns of them, (n, ...)."""

    @abstractmethod
    def simulated(
        self, draws: Draws, data: D, rng: np.random.Generator
    ) -> tuple[D, dict[str, Floats]]:
        """Draw data of the same size from the first of the draws.

        Returns
        -------
        tuple
            The data, and that draw (1, ...). Parameters that are at an average of the data are
            those at the average of the new ones.
        """

    @abstractmethod
    def observed(self, data: D) -> dict[str, tuple[tuple[str, ...], Floats]]:
        """Return what predictions are compared with: axes and values by name."""

    def __reduce__(self) -> tuple[object, ...]:
        # Priors stand in a read-only view, which cannot be pickled; they are the last field.
        return type(self), (*self.choices(), dict(self.priors))

    def choices(self) -> tuple[Any, ...]:
        """Return the values of all fields but the priors, in order."""
        named = fields(self)  # type: ignore[arg-type]  # every model is a dataclass
        return tuple(getattr(self, f.name) for f in named if f.name != "priors")

    def identity(self) -> tuple[Any, ...]:
        """Return what is equal for equal models, and can be hashed."""
        return (*self.choices(), tuple(sorted(self.priors.items(), key=str)))

    def priors_for(self, data: D) -> dict[str, Prior]:
        """Return every prior of choice in the units of the data, by entry."""
        return priors_by_entry(self.table(data), self.coords(data), self.priors)

    def structure(self, data: D) -> Hashable:
        """Return what must be equal for two fits to share one compiled model."""
        table, coords, priors = self.table(data), self.coords(data), self.priors_for(data)
        first = [next(entries(p, coords))[0] for p in table if 0 not in p.shape(coords)]
        return (
            type(self).__name__,
            self.form(data),
            tuple((p.name, p.shape(coords)) for p in table),
            tuple(priors[name].distribution for name in first),
        )

    def graph_data(self, data: D) -> dict[str, Floats]:
        """Return the values of every data node of the graph: they change without compiling."""
        coords, priors = self.coords(data), self.priors_for(data)
        numbers, _ = hyperparameters(self.table(data), coords, priors)
        found, varying = self.observations(data), self.varying()
        fixed = [values.ravel() for name, values in found.items() if name not in varying]
        # An empty node would be of no use to the sampler.
        every = np.concatenate([numbers, *fixed, np.zeros(1)])
        return {NUMBERS: every, **{k: v for k, v in found.items() if k in varying}}

    def build(self, data: D) -> pm.Model:
        """Return the model with its data as a PyMC model to look at, or to go on with.

        Random variables are the standardised parameters (``slope_std`` ...), so that a sampler
        starts well whatever the units; what can be integrated out is.

        Raises
        ------
        DataError
            As ``check_data``.
        """
        from bayesmed.generative import trial_graph

        self.check_data(data)
        return trial_graph.graph(self, data)

    def unstandardised(self, draws: Draws, data: D, rng: np.random.Generator) -> dict[str, Floats]:
        """Return all parameters in data units from flat draws of the variables of the graph."""
        found = {k: v for k, v in draws.items() if not k.endswith("_std")}
        coords = self.coords(data)
        for p in self.table(data):
            if f"{p.name}_std" in draws:
                shape = p.shape(coords)
                own = np.reshape(draws[f"{p.name}_std"], (-1, *shape))
                found[p.name] = p.location + p.scale * own
        return self.completed(found, data, rng)

    def prior_draws(self, data: D, n: int, rng: np.random.Generator) -> dict[str, Floats]:
        """Draw all parameters from the prior, in data units."""
        coords, priors = self.coords(data), self.priors_for(data)
        found: dict[str, Floats] = {}
        for p in self.table(data):
            own = [priors[e[0]].draw(rng, (n,)) for e in entries(p, coords)]
            shape = p.shape(coords)
            found[p.name] = np.stack(own, -1).reshape(n, *shape) if own else np.zeros((n, *shape))
        return self.prior_completed(found, data, n, rng)

    def log_prior(self, draws: Draws, data: D) -> dict[str, Floats]:
        """Log prior density of each parameter that has a prior of choice, in data units."""
        coords, priors = self.coords(data), self.priors_for(data)
        found = {}
        for p in self.table(data):
            values = draws[p.name]
            flat = values.reshape(len(values), -1)
            own = [priors[e[0]].log_density(flat[:, i]) for i, e in enumerate(entries(p, coords))]
            if own:
                found[p.name] = np.stack(own, axis=-1).reshape(values.shape)
        return found

    def _shown(self) -> Shown:
        from bayesmed.generative.display import shown_model

        return shown_model(self)
