"""The site-slope model as a PyMC graph whose data, priors and number of sites may change."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayesmed.core.names import (
    CORRELATION,
    COVARIATE,
    COVARIATE_EFFECT,
    DIRECT_EFFECT_SD,
    ESTIMATE,
    ESTIMATES,
    MEDIATOR,
    MEDIATOR_EFFECT_MEAN,
    OTHER_ESTIMATE,
    OTHER_MEDIATOR,
    PERSON_COVARIANCE,
    PERSON_GROUP,
    SLOPE,
    TOTAL_EFFECT,
    WITHIN_SITE_COVARIANCE,
)
from bayesmed.core.types import ArrayLike, Floats, Integers
from bayesmed.data import PersonCovariance, SiteEstimates
from bayesmed.formulas.averaging import Functions, normal_nodes
from bayesmed.formulas.correlation import uniform_exponent
from bayesmed.formulas.linear_gaussian import Matrix
from bayesmed.formulas.person_covariance import (
    coordinate_log_ratio,
    covariance_of_persons,
    n_coordinates,
)
from bayesmed.formulas.site_slope import SamplingCovariance, log_density
from bayesmed.formulas.site_slope_blocks import Blocks
from bayesmed.generative import site_slope_density, site_slope_persons
from bayesmed.generative.protocol import Draws
from bayesmed.generative.site_slope_coordinates import Frame, parameters
from bayesmed.generative.site_slope_correlations import (
    EFFECTS_ALONE,
    EFFECTS_AND_SLOPES,
    correlation_matrices,
)
from bayesmed.generative.site_slope_data import block_data, pack, rows_per_block, unpack
from bayesmed.generative.site_slope_draws import SITE_COORDINATES
from bayesmed.generative.site_slope_parameters import Entries, entry_names, labels
from bayesmed.generative.site_slope_persons import PERSON_COORDINATES
from bayesmed.generative.site_slope_population import population
from bayesmed.generative.site_slope_typical import key, numbers
from bayesmed.priors import Prior
from bayesmed.priors.variables import variable

if TYPE_CHECKING:
    from bayesmed.generative.site_model import SiteModel

# What becomes of the mediator effects of a site: integrated in closed form, averaged over nodes,
# or sampled in coordinates of their own.
Treatment = Literal["closed", "averaged", "sampled"]

GRAPH = Functions(pt.gammaln, lambda terms: pt.log(pt.exp(terms).sum(axis=0)))

# The data node that holds every single number of the graph. One vector, not many scalars: each
# scalar would cost a third of a second of compilation.
NUMBERS, NUMBER = "numbers", "number"
# The data node that holds estimates, sampling covariances and covariates of every block, one matrix
# for the same reason.
COLUMNS, COLUMN = "site_columns", "column"
# The data node that holds the products of persons.
PERSONS = "persons"
# Averaging over nodes mixes better and one compilation serves every number of sites; sampling the
# coordinates costs less per site. From about here on it is the quicker way to as many effective
# draws.
MOST_AVERAGED = 60
# Sampled coordinates are padded to the next of these sizes, so that few compilations serve all.
SMALLEST_PADDING = 8
# Columns of a line through independent pairs of estimates, which has a form of its own.
N_PAIR = 2 + len(SamplingCovariance._fields)


def treatment(model: SiteModel, data: SiteEstimates) -> Treatment:
    """Return what becomes of the mediator effects of each site."""
    if model.slope == "constant":
        return "closed"
    alone = data.n_mediators == 1 and rows_per_block(data) == 1
    # On a curve without scatter the conditional is no hill that a few nodes could find.
    scattered = model.direct_effect or model.slope == "random"
    if alone and scattered and not model.robust and data.n_rows <= MOST_AVERAGED:
        return "averaged"
    return "sampled"


def structure(model: SiteModel, data: SiteEstimates) -> Hashable:
    """Return what must be equal for two fits to share one compiled model."""
    priors = tuple(p.distribution for p in model.priors_for(data).values())
    sampled = treatment(model, data) == "sampled"
    return (
        "site_slope",
        model.slope,
        model.direct_effect,
        model.robust,
        model.correlated,
        model.parameters,
        len(model.covariates),
        data.n_mediators,
        rows_per_block(data),
        Frame.of(model, data).moves,
        model.related(data),
        model.known_compliance is not None,
        model.slopes_together(data),
        None if (persons := model.persons(data)) is None else len(persons.groups),
        isinstance(model.within_site_covariance, Prior) or model.within_site_covariance != 0,
        treatment(model, data),
        padded_size(data.n_blocks) if sampled else None,
        priors,
    )


def padded_size(n_blocks: int) -> int:
    """Return the size that sampled coordinates of so many blocks are padded to."""
    size = SMALLEST_PADDING
    while size < n_blocks:
        size *= 2
    return size


def _is_pair(model: SiteModel, data: SiteEstimates) -> bool:
    """Whether every block is one pair of estimates with a straight line through them."""
    alone = data.n_mediators == 1 and rows_per_block(data) == 1
    return alone and model.slope == "constant" and not model.robust


def graph_data(model: SiteModel, data: SiteEstimates) -> dict[str, Floats]:
    """Return the values of every data node of the graph."""
    covariates = model.covariate_values(data)
    if _is_pair(model, data):
        cov = SamplingCovariance.of(data.cov)
        columns = [data.mediator_effect[:, 0], data.total_effect, *cov, *covariates.T]
    else:
        sampled = treatment(model, data) == "sampled"
        size = padded_size(data.n_blocks) if sampled else None
        rows, packed = _packed(model, data, size)
        values = covariates[rows] * (rows >= 0)[:, :, None]
        more = np.zeros(((size or len(rows)) - len(rows), *values.shape[1:]))
        values = np.concatenate([values, more])
        of_rows = values.reshape(len(values), -1).T
        columns = [*packed, *of_rows]
    found = {
        COLUMNS: np.stack(columns),
        NUMBERS: np.array(list(numbers(model, data).values())),
    }
    persons = model.persons(data)
    return found if persons is None else found | {PERSONS: site_slope_persons.products(persons)}


def _packed(
    model: SiteModel, data: SiteEstimates, size: int | None
) -> tuple[Integers, list[Floats]]:
    persons = model.persons(data)
    if persons is not None:
        rows, of_persons = site_slope_persons.person_blocks(data, persons, size)
        return rows, site_slope_persons.pack(of_persons)
    rows, blocks = block_data(data, size)
    return rows, _padded_always(blocks, rows.shape[1])


def _padded_always(blocks: Blocks, k: int) -> list[Floats]:
    """Pack blocks with their masks wherever a block may have several rows."""
    if k > 1 and blocks.present is None:
        blocks = blocks._replace(present=[np.ones(blocks.outcome[0].size)] * k)
    return pack(blocks)


def unstandardised(model: SiteModel, draws: Draws, data: SiteEstimates) -> dict[str, Floats]:
    """Return all parameters in data units from draws of the variables the graph samples."""

    def take(name: str, middle: ArrayLike, width: ArrayLike, shift: ArrayLike) -> ArrayLike:
        if name.startswith(EFFECTS_ALONE):
            return 2.0 * draws[f"{name}_std"] - 1.0
        return middle + width * draws[f"{name}_std"]

    found = parameters(Frame.of(model, data), numbers(model, data).__getitem__, take)
    for name in (CORRELATION, WITHIN_SITE_COVARIANCE):
        if not isinstance(found.get(name), np.ndarray):
            found.pop(name, None)
    named: dict[str, Floats] = {}
    matrices = correlation_matrices(found)
    for name, rows in matrices.items():
        like = found[MEDIATOR_EFFECT_MEAN][0]
        every = np.broadcast_arrays(like, *(x for row in rows for x in row))[1:]
        named[name] = np.stack(every, axis=-1).reshape(*like.shape, len(rows), len(rows))
    for name, value in found.items():
        if name not in matrices:
            named[name] = np.stack(value, axis=-1) if isinstance(value, list) else value
    persons = model.persons(data)
    if persons is not None:
        z = draws[PERSON_COORDINATES]
        named[PERSON_COVARIANCE] = site_slope_persons.covariances_at(persons, z)
    if SITE_COORDINATES in draws:
        flat = draws[SITE_COORDINATES]
        padded = flat.reshape(*flat.shape[:2], -1, padded_size(data.n_blocks))
        named[SITE_COORDINATES] = padded[..., : data.n_blocks]
    return named


def graph(model: SiteModel, data: SiteEstimates) -> pm.Model:
    """Build the model; see :meth:`bayesmed.generative.SiteSlope.build`."""
    values, names = graph_data(model, data), list(numbers(model, data))
    with pm.Model(coords=_coords(model, data, names)) as made:
        nodes = {
            NUMBERS: pm.Data(NUMBERS, values[NUMBERS], dims=NUMBER),
            COLUMNS: pm.Data(COLUMNS, values[COLUMNS], shape=_static_shape(model, data, values)),
        }
        position = {name: i for i, name in enumerate(names)}

        def number(name: str) -> Any:
            return nodes[NUMBERS][position[name]]

        found = parameters(Frame.of(model, data), number, _Taken(model, data, number))
        _name(model, data, found)
        columns = [nodes[COLUMNS][i] for i in range(values[COLUMNS].shape[0])]
        persons, made_of = model.persons(data), None
        if persons is not None:
            k, groups = rows_per_block(data), len(persons.groups)
            parts = site_slope_persons.unpack(columns, k * data.n_mediators, k, groups)
            covariances = _person_covariances(
                persons, pm.Data(PERSONS, values[PERSONS], shape=values[PERSONS].shape)
            )
            made_of = site_slope_persons.with_covariances(parts, covariances)
        density = _density(model, data, found, columns, made_of)
        pm.Potential(ESTIMATES, density.sum())
    return made


def _static_shape(
    model: SiteModel, data: SiteEstimates, values: dict[str, Floats]
) -> tuple[int | None, int | None]:
    """Return what is known of the shape of the columns for every fit of this structure.

    Without the padded length the graph would check it, and compile for seconds to word the error.
    """
    count, length = values[COLUMNS].shape
    return count, length if treatment(model, data) == "sampled" else None


def _coords(model: SiteModel, data: SiteEstimates, names: Sequence[str]) -> dict[str, Any]:
    coords: dict[str, Any] = {MEDIATOR: list(data.mediators), NUMBER: list(names)}
    if model.covariates:
        coords[COVARIATE] = list(model.covariates)
    persons = model.persons(data)
    if persons is not None:
        estimates = [*data.mediators, TOTAL_EFFECT]
        coords[PERSON_GROUP] = list(persons.groups)
        coords |= {ESTIMATE: estimates, OTHER_ESTIMATE: estimates}
    if data.n_mediators > 1 or model.related(data) == "effects":
        coords[OTHER_MEDIATOR] = list(data.mediators)
    return coords


class _Taken:
    """Adds the standardised variable of an entry, with its prior moved along."""

    def __init__(self, model: SiteModel, data: SiteEstimates, number: Any) -> None:
        self._number, self._n = number, data.n_mediators
        self._at_data = model.slope == "constant" and not model.direct_effect
        priors = model.priors_for(data)
        self._priors = {
            key(name, i): priors[entry]
            for name in model.parameters
            for i, entry in enumerate(entry_names(name, labels(model, data, name)))
        }

    def __call__(self, name: str, middle: Any, width: Any, shift: Any) -> Any:
        if name.startswith(EFFECTS_ALONE):
            i, j = map(int, name.rsplit("_", 2)[1:])
            together = name.startswith(EFFECTS_AND_SLOPES)
            b = uniform_exponent(i, j, 2 * self._n if together else self._n)
            return 2.0 * pm.Beta(f"{name}_std", b, b) - 1.0
        made = variable(
            f"{name}_std",
            name,
            self._priors[name],
            self._number,
            shift=(shift - middle) / width,
            factor=1.0 / width,
            start=self._start(name),
        )
        return middle + width * made

    def _start(self, name: str) -> float | None:
        """Start a slope through the origin at what the data say, 0 in its units, if it may be that.

        The centre of its prior lies many posterior standard deviations away: chains run from there
        into slopes far beyond the data, around which there is no posterior mass, and stay.
        """
        anywhere = all(math.isinf(end) for end in self._priors[name].support)
        return 0.0 if self._at_data and name.startswith(SLOPE) and anywhere else None


def _name(model: SiteModel, data: SiteEstimates, found: Entries) -> None:
    """Give every parameter its name and dims."""
    matrices = correlation_matrices(found)
    for name in (*model.parameters, *model.derived):
        if name not in found:
            continue
        value = found[name]
        if name in matrices:
            rows = [pt.stack([pt.as_tensor(x) for x in row]) for row in matrices[name]]
            pm.Deterministic(name, pt.stack(rows), dims=(MEDIATOR, OTHER_MEDIATOR))
        elif isinstance(value, list):
            dim = COVARIATE if name == COVARIATE_EFFECT else MEDIATOR
            pm.Deterministic(name, pt.stack(value), dims=dim)
        else:
            pm.Deterministic(name, value)


def _residual_sd(model: SiteModel, found: Entries) -> Any:
    """Return the spread of direct effects given mediator effects."""
    sd = found.get(DIRECT_EFFECT_SD, 0.0)
    return sd * np.sqrt(1.0 - found[CORRELATION] ** 2) if model.correlated else sd


def _person_covariances(persons: PersonCovariance, told: Any) -> list[Matrix]:
    """Add the covariances of persons, with their density given the products of persons.

    Entries hold all groups at once: that halves the graph, and its compilation.
    """
    groups, k = persons.cross.shape[:2]
    each = n_coordinates(k)
    z = pm.Normal(PERSON_COORDINATES, 0.0, 1.0, shape=groups * each).reshape((groups, each))
    df = told[:, 0]
    entries = iter([told[:, 2 + i] for i in range(each)])
    root = [[next(entries) if j <= i else 0.0 for j in range(k)] for i in range(k)]
    matrix = covariance_of_persons([z[:, i] for i in range(each)], root, df)
    ratio = told[:, 1] + sum(coordinate_log_ratio(z[:, i], df, i) for i in range(k))
    pm.Potential(PERSON_COORDINATES + "_density", ratio.sum())
    found = [[[x[a] for x in row] for row in matrix] for a in range(groups)]
    stacked = pt.stack([pt.stack([pt.stack(row) for row in matrix]) for matrix in found])
    pm.Deterministic(PERSON_COVARIANCE, stacked, dims=(PERSON_GROUP, ESTIMATE, OTHER_ESTIMATE))
    return found


def _density(
    model: SiteModel,
    data: SiteEstimates,
    found: Entries,
    columns: Sequence[Any],
    sampled_blocks: Blocks | None,
) -> Any:
    """Log-density of each block's estimates, over that of sampled coordinates."""
    k, c = rows_per_block(data), len(model.covariates)
    n = k * data.n_mediators
    of_rows = columns[len(columns) - k * c :]
    covariates = [of_rows[r * c : (r + 1) * c] for r in range(k)]
    whole = population(model, found, covariates)
    if _is_pair(model, data):
        mediator, total, *cov = columns[:N_PAIR]
        return log_density(
            mediator,
            total,
            SamplingCovariance(*cov),
            slope=whole.curve.slope[0],
            mediator_effect_mean=whole.mean[0],
            mediator_effect_sd=whole.root[0][0],
            direct_effect_mean=whole.curve.intercept[0],
            direct_effect_sd=_residual_sd(model, found),
        )
    how = treatment(model, data)
    blocks = sampled_blocks or unpack(columns, n, k, how == "sampled" or k > 1)
    if how == "closed":
        return site_slope_density.straight(whole, blocks, GRAPH)
    if how == "averaged":
        nodes, log_weights = normal_nodes(n)
        z, weights = [nodes[0][:, None]], log_weights[:, None]
        return site_slope_density.averaged(whole, blocks, z, weights, GRAPH)
    z = pm.Normal(SITE_COORDINATES, 0.0, 1.0, shape=(n, padded_size(data.n_blocks)))
    rows = [z[i] for i in range(n)]
    ratio = site_slope_density.at_coordinates(whole, blocks, rows, GRAPH)
    present = sum(blocks.present or ()) > 0
    return pt.switch(present, ratio, 0.0)
