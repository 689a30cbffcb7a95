"""Parameters of models of one trial: their priors by entry, in data units and in those of a graph.

A graph works in standardised units: a parameter is ``location + scale * x``, and x is what is
sampled. Data and hyperparameters are data nodes, so that they change without compiling.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, product

import numpy as np

from bayesmed.core.errors import ModelError, nearest
from bayesmed.core.types import Floats
from bayesmed.priors import Prior
from bayesmed.priors.families import FAMILIES

__all__ = [
    "Coords",
    "Parameter",
    "check_priors",
    "entries",
    "hyperparameters",
    "priors_by_entry",
    "standardised",
]

type Coords = Mapping[str, Sequence[str]]

_ENDS = {
    "real": (-np.inf, np.inf),
    "positive": (0.0, np.inf),
    "share": (0.0, 1.0),
    "correlation": (-1.0, 1.0),
}


@dataclass(frozen=True, eq=False)
class Parameter:
    """A parameter with a prior of choice.

    Parameters
    ----------
    name
        As every output calls it.
    default
        Its prior; "scaled" ones are of ``(value - location) / scale``.
    dims
        Names of the axes along which it has entries; none for a single number.
    location, scale
        Natural location and scale of every entry, in data units; they broadcast to the entries.
    sampled
        Whether the graph has it; what is integrated out is not, and the graph is given its
        hyperparameters by name instead.
    """

    name: str
    default: Prior
    dims: tuple[str, ...] = ()
    location: Floats | float = 0.0
    scale: Floats | float = 1.0
    sampled: bool = True

    def shape(self, coords: Coords) -> tuple[int, ...]:
        """Return the number of entries along each axis."""
        return tuple(len(coords[dim]) for dim in self.dims)


def entries(parameter: Parameter, coords: Coords) -> Iterator[tuple[str, float, float]]:
    """Name every entry, with its location and scale, in the order of the flattened array.

    Examples
    --------
    >>> flat = Prior("Normal", sigma=1)
    >>> [e[0] for e in entries(Parameter("slope", flat, ("treatment",)), {"treatment": "01"})]
    ['slope[0]', 'slope[1]']
    """
    shape = parameter.shape(coords)
    location = np.broadcast_to(parameter.location, shape).ravel().tolist()
    scale = np.broadcast_to(parameter.scale, shape).ravel().tolist()
    labels = product(*(coords[dim] for dim in parameter.dims))
    for of, at, width in zip(labels, location, scale, strict=True):
        yield f"{parameter.name}[{', '.join(of)}]" if of else parameter.name, at, width


def priors_by_entry(
    table: Sequence[Parameter], coords: Coords, chosen: Mapping[str, Prior]
) -> dict[str, Prior]:
    """Return the prior of every entry in data units.

    Raises
    ------
    ModelError
        If a prior is set for an entry that is not there, or the entries of one parameter have
        different distributions.
    """
    found: dict[str, Prior] = {}
    for parameter in table:
        own = {}
        for entry, location, scale in entries(parameter, coords):
            prior = chosen.get(entry) or chosen.get(parameter.name) or parameter.default
            own[entry] = prior.in_data_units(location, scale)
        kinds = {prior.distribution for prior in own.values()}
        if len(kinds) > 1:
            raise ModelError(
                f"The priors of {parameter.name} are of several kinds: {', '.join(sorted(kinds))}.",
                "Give all its entries the same distribution.",
            )
        found |= own
    for name in chosen:
        if "[" in name and name not in found:
            raise ModelError(f"priors sets {name!r}, which is not there.", nearest(name, found))
    return found


def standardised(
    parameter: Parameter, coords: Coords, priors: Mapping[str, Prior]
) -> dict[str, Floats]:
    """Return the hyperparameters of x = (value - location) / scale by name, shaped as entries."""
    own = [
        priors[entry].moved(-location / scale, 1.0 / scale).parameters
        for entry, location, scale in entries(parameter, coords)
    ]
    shape = parameter.shape(coords)
    return {key: np.array([one[key] for one in own]).reshape(shape) for key in own[0]}


def hyperparameters(
    table: Sequence[Parameter], coords: Coords, priors: Mapping[str, Prior]
) -> tuple[Floats, dict[str, dict[str, slice]]]:
    """Return the numbers of all priors in one vector, and where those of each parameter are.

    Neighbours with the same distribution have each of its numbers side by side, so that a slice
    is that of all of them.

    Examples
    --------
    >>> table = [Parameter(name, Prior("Normal", mu=i, sigma=2)) for i, name in enumerate("ab")]
    >>> values, places = hyperparameters(table, {}, {p.name: p.default for p in table})
    >>> values.tolist(), places["b"]
    ([0.0, 1.0, 2.0, 2.0], {'mu': slice(1, 2, None), 'sigma': slice(3, 4, None)})
    """
    present = [p for p in table if 0 not in p.shape(coords)]
    found: list[Floats] = []
    places: dict[str, dict[str, slice]] = {p.name: {} for p in present}
    start = 0
    for _, alike in groupby(present, lambda p: priors[next(entries(p, coords))[0]].distribution):
        numbers = {p.name: standardised(p, coords, priors) for p in alike}
        for key in next(iter(numbers.values())):
            for name, own in numbers.items():
                found.append(own[key].ravel())
                places[name][key] = slice(start, start + own[key].size)
                start += own[key].size
    return np.concatenate(found or [np.zeros(0)]), places


def check_priors(chosen: Mapping[str, Prior], supports: Mapping[str, str]) -> None:
    """Refuse priors of unknown parameters, or on values a parameter cannot have.

    Parameters
    ----------
    chosen
        Priors by parameter or entry.
    supports
        By parameter, ``"real"``, ``"positive"``, ``"share"`` (between 0 and 1) or
        ``"correlation"`` (between -1 and 1).

    Raises
    ------
    ModelError
        As above.
    """
    for name, prior in chosen.items():
        base = name.split("[", 1)[0]
        if base not in supports:
            raise ModelError(
                f"priors sets {name!r}, no parameter of this model.", nearest(base, supports)
            )
        if not isinstance(prior, Prior):
            raise ModelError(f"The prior of {name} is {prior!r}.", "Give a Prior.")
        check_support(name, prior, supports[base])


def check_support(name: str, prior: Prior, support: str) -> None:
    """Refuse a prior that allows values a parameter cannot have.

    Raises
    ------
    ModelError
        If it does.
    """
    low, high = prior.support
    least, most = _ENDS[support]
    if low < least or high > most:
        words = "positive values" if support == "positive" else f"values from {least:g} to {most:g}"
        fitting = [k for k, f in FAMILIES.items() if f.support == "positive"]
        remedy = (
            f"Use {', '.join(fitting)}."
            if support == "positive"
            else "Use Uniform or TruncatedNormal."
        )
        raise ModelError(f"The prior {prior} of {name} allows more than {words}.", remedy)
