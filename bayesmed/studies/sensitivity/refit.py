"""The task of fitting a model once more, reduced to what conclusions are about."""

from __future__ import annotations

from dataclasses import dataclass, replace

import xarray as xr

from bayesmed.core.errors import ModelError
from bayesmed.core.progress import Silent
from bayesmed.data import SiteEstimates
from bayesmed.generative import AnyModel
from bayesmed.inference import Fit, Sampler
from bayesmed.inference.convergence import diagnose
from bayesmed.inference.drawing import Drawn, draw_posterior
from bayesmed.inference.exact import PROBABILITIES, Summary
from bayesmed.inference.quadrature import QuadratureError
from bayesmed.inference.sampler import FEW_SITES
from bayesmed.inference.tree import assemble
from bayesmed.studies.sensitivity.quantities import summaries
from bayesmed.studies.task import Cell, Row

TOLERANCE = 3e-3
"""Of the exact engine: within about 1e-3 posterior sds, in half the time of its default."""
FEW_SITES_DRAWS, DRAWS, TUNE = 1000, 500, 500
"""Draws per chain, and tuning draws, that do for what is compared here, and is judged for each:
with few sites posteriors have long tails and corners, and tuning stays as it is."""
QUALITY = ("divergences", "r_hat", "ess_bulk", "ess_tail")


@dataclass(frozen=True)
class Refit:
    """A model, data and sampler to fit once.

    The exact engine gives way to nuts where it cannot take the model, or its density is too rough.
    """

    name: str
    model: AnyModel
    data: SiteEstimates
    sampler: Sampler

    @property
    def key(self) -> str:
        """Name of the refit."""
        return self.name

    def run(self, seed: int) -> list[Row]:
        """Fit, and return a row for each quantity: `summaries`, and how they were computed."""
        self.model.check_data(self.data)
        sampler = replace(self.sampler, cores=1).for_sites(self.data.n_rows)
        try:
            drawn = self._drawn(sampler, seed)
        except (ModelError, QuadratureError):
            if sampler.engine == "nuts":
                raise
            sampler = replace(sampler, engine="nuts")
            drawn = self._drawn(sampler, seed)
        tree = assemble(self.model, self.data, drawn.draws, drawn.sample_stats, seed, least=True)
        if drawn.exact is None:
            return _sampled(self.model, self.data, tree)
        density = drawn.exact.density
        exact = {name: drawn.exact.summary(name) for name in density.axes}
        return _integrated(self.model, self.data, tree, exact)

    def _drawn(self, sampler: Sampler, seed: int) -> Drawn:
        return draw_posterior(self.model, self.data, sampler, seed, Silent(), tolerance=TOLERANCE)


def refit_sampler(sampler: Sampler, n_sites: int) -> Sampler:
    """Return the settings of a fit for one of many: no more draws than needed, on one core.

    Examples
    --------
    >>> refit_sampler(Sampler(), 5).draws, refit_sampler(Sampler(draws=200), 50).draws
    (1000, 200)
    """
    sampler = replace(sampler.for_sites(n_sites), cores=1)
    if n_sites < FEW_SITES:
        return replace(sampler, draws=min(sampler.draws, FEW_SITES_DRAWS))
    assert sampler.tune is not None
    return replace(sampler, draws=min(sampler.draws, DRAWS), tune=min(sampler.tune, TUNE))


def rows_of_fit(fit: Fit) -> list[Row]:
    """Return what a refit gives, from a fit that is there."""
    if "quadrature" not in fit.tree.children:
        return _sampled(fit.model, fit.data, fit.tree)
    found = fit.tree["quadrature"].to_dataset().sel(probability=list(PROBABILITIES))
    exact = {
        str(name): Summary(
            float(found["mean"].sel(parameter=name)),
            float(found["sd"].sel(parameter=name)),
            tuple(found["quantile"].sel(parameter=name).values.tolist()),
        )
        for name in found["parameter"].values
    }
    return _integrated(fit.model, fit.data, fit.tree, exact)


def sampling_quality(tree: xr.DataTree) -> dict[str, Cell]:
    """Say how well a posterior was sampled: engine, converged, and the worst of each measure."""
    judged = {d.code: d for d in diagnose(tree)}
    return {
        "engine": "nuts",
        "converged": all(d.passed for d in judged.values()),
        **{code: judged[code].value for code in QUALITY},
    }


def _sampled(model: AnyModel, data: SiteEstimates, tree: xr.DataTree) -> list[Row]:
    quality = sampling_quality(tree)
    ess = quality["ess_bulk"]
    assert isinstance(ess, float)
    return [row | quality for row in summaries(model, data, tree, {}, max(ess, 1.0))]


def _integrated(
    model: AnyModel, data: SiteEstimates, tree: xr.DataTree, exact: dict[str, Summary]
) -> list[Row]:
    quality: dict[str, Cell] = {"engine": "exact", "converged": True}
    quality |= dict.fromkeys(QUALITY)
    # Draws are independent.
    n = tree["posterior"].sizes["chain"] * tree["posterior"].sizes["draw"]
    return [row | quality for row in summaries(model, data, tree, exact, n)]
