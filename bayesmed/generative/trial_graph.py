"""The graph of a model of one trial: priors as variables with data nodes, then its likelihood."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pymc as pm

from bayesmed.generative.trial_model import HYPERPARAMETERS
from bayesmed.generative.trial_parameters import Parameter, entries, standardised

if TYPE_CHECKING:
    from bayesmed.generative.trial_model import TrialModel


def graph[D](model: TrialModel[D], data: D) -> pm.Model:
    """Build the graph; see `TrialModel.build`."""
    values, varying = model.graph_data(data), model.varying()
    with pm.Model() as made:
        nodes = {
            name: pm.Data(
                name, value, shape=(None, *value.shape[1:]) if name in varying else value.shape
            )
            for name, value in values.items()
        }
        numbers = nodes.pop(HYPERPARAMETERS)
        found = _variables(model, data, nodes, numbers)
        model.add_likelihood(found, nodes, data)
    return made


def _variables[D](
    model: TrialModel[D], data: D, nodes: Mapping[str, Any], numbers: Any
) -> dict[str, Any]:
    """Add the standardised parameters, each one array; those replaced by coordinates last."""
    coords, priors = model.coords(data), model.priors_for(data)
    table = [p for p in model.table(data) if 0 not in p.shape(coords)]
    replaced, integrated = model.replaced(data), model.integrated(data)
    found: dict[str, Any] = {}
    densities: dict[str, Any] = {}
    start = 0

    def take(parameter: Parameter, size: int) -> Any:
        nonlocal start
        start += size
        return numbers[start - size : start].reshape(parameter.shape(coords))

    for p in table:
        shape = p.shape(coords)
        distribution = getattr(pm, priors[next(entries(p, coords))[0]].distribution)
        size = math.prod(shape)
        values = {key: take(p, size) for key in standardised(p, coords, priors)}
        if p.name in integrated:
            found[p.name] = values
        elif p.name in replaced:
            densities[p.name] = distribution.dist(**values, shape=shape)
        else:
            found[p.name] = distribution(f"{p.name}_std", **values, shape=shape)
    if replaced:
        found |= model.add_coordinates(found, nodes, data)
    for name, density in densities.items():
        pm.Potential(f"{name}_prior", pm.logp(density, found[name]).sum())
    return found
