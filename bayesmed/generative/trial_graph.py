"""The graph of a model of one trial: priors as variables with data nodes, then its likelihood."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pymc as pm

from bayesmed.generative.trial_model import JOINED, NUMBERS
from bayesmed.generative.trial_parameters import entries, hyperparameters

if TYPE_CHECKING:
    from bayesmed.generative.trial_model import TrialModel


def graph[D](model: TrialModel[D], data: D) -> pm.Model:
    """Build the graph; see `TrialModel.build`."""
    found = model.observations(data)
    # Priors check their numbers themselves; to check them in the graph takes long to compile.
    with pm.Model(check_bounds=False) as made:
        nodes = {
            name: pm.Data(
                name, value, shape=value.shape if name == NUMBERS else (None, *value.shape[1:])
            )
            for name, value in model.graph_data(data).items()
        }
        numbers = nodes.pop(NUMBERS)
        start = numbers.type.shape[0] - 1 - sum(found[k].size for k in found if k not in nodes)
        for name in [name for name in found if name not in nodes]:
            stop = start + found[name].size
            nodes[name] = numbers[start:stop].reshape(found[name].shape)
            start = stop
        variables = _variables(model, data, nodes, numbers)
        model.add_likelihood(variables, nodes, data)
    return made


def _variables[D](
    model: TrialModel[D], data: D, nodes: Mapping[str, Any], numbers: Any
) -> dict[str, Any]:
    """Add the standardised parameters, each one array; those replaced by coordinates last."""
    coords, priors = model.coords(data), model.priors_for(data)
    table = [p for p in model.table(data) if 0 not in p.shape(coords)]
    replaced, integrated = model.replaced(data), model.integrated(data)
    kinds = {p.name: priors[next(entries(p, coords))[0]].distribution for p in table}
    _, places = hyperparameters(table, coords, priors)
    found: dict[str, Any] = {}
    for p in table:
        if p.name in replaced or p.name in integrated:
            continue
        shape = p.shape(coords)
        values = {key: numbers[at].reshape(shape) for key, at in places[p.name].items()}
        found[p.name] = getattr(pm, kinds[p.name])(f"{p.name}_std", **values, shape=shape)
    if not replaced:
        return found
    found |= model.add_coordinates(found, nodes, data)
    joined: dict[tuple[str, ...], Any] = found.pop(JOINED, {})
    together = {name for names in joined for name in names}
    alone = {
        (p.name,): found[p.name].reshape((-1,))
        for p in table
        if p.name in replaced and p.name not in together
    }
    for names, vector in (joined | alone).items():
        start = 0
        for few in _neighbours(names, kinds, places):
            size = sum(math.prod(p.shape(coords)) for p in table if p.name in few)
            _add_prior(few, kinds[few[0]], vector[start : start + size], places, numbers)
            start += size
    return found


def _neighbours(
    names: Sequence[str], kinds: Mapping[str, str], places: Mapping[str, Mapping[str, slice]]
) -> Iterator[tuple[str, ...]]:
    """Split names where the numbers of the priors of two do not stand side by side."""
    first = 0
    for i in range(1, len(names) + 1):
        if i < len(names) and kinds[names[i]] == kinds[names[i - 1]]:
            key = next(iter(places[names[i]]))
            if places[names[i - 1]][key].stop == places[names[i]][key].start:
                continue
        yield tuple(names[first:i])
        first = i


def _add_prior(
    names: Sequence[str],
    kind: str,
    values: Any,
    places: Mapping[str, Mapping[str, slice]],
    numbers: Any,
) -> None:
    """Add the log prior of neighbours, whose values follow from coordinates."""
    first, last = places[names[0]], places[names[-1]]
    own = {key: numbers[at.start : last[key].stop] for key, at in first.items()}
    density = pm.logp(getattr(pm, kind).dist(**own, shape=values.type.shape), values)
    pm.Potential(f"{names[0]}_prior", density.sum())
