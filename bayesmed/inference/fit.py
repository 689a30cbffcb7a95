"""The verb ``fit`` and what it returns."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Generic, overload

import xarray as xr
from typing_extensions import TypeIs, TypeVar

from bayesmed.core import provenance
from bayesmed.core.display import Shown, displayed
from bayesmed.core.errors import ModelError
from bayesmed.core.names import CHAIN, DRAW
from bayesmed.core.progress import Progress, Silent
from bayesmed.core.seeds import checked_seed
from bayesmed.data import OneTrial, SiteEstimates
from bayesmed.generative.registry import AnyModel, AnyTrialModel
from bayesmed.generative.trial_model import TrialModel
from bayesmed.inference.convergence import diagnose
from bayesmed.inference.drawing import Drawn, draw_posterior, draw_trial_posterior
from bayesmed.inference.exact import PROBABILITIES, ExactPosterior
from bayesmed.inference.sampler import Sampler
from bayesmed.inference.tree import assemble
from bayesmed.inference.trial_tree import assemble_trial

QUADRATURE = "quadrature"

M_co = TypeVar("M_co", default=AnyModel, covariant=True)
D_co = TypeVar("D_co", default=SiteEstimates, covariant=True)


@displayed()
@dataclass(frozen=True, eq=False)
class Fit(Generic[M_co, D_co]):
    """A model, its data, and the posterior.

    Attributes
    ----------
    model, data, sampler, seed
        What was asked for; the same four give the same draws again.
    tree
        ``xarray.DataTree`` with the groups ``posterior`` (parameters, in data units),
        ``site_effects``, ``posterior_predictive`` (estimates at new sites with the same sampling
        covariances), ``posterior_predictive_same_sites``, ``prior``, ``prior_predictive``,
        ``log_likelihood`` (per independent block, joint in both estimates), ``log_prior``,
        ``observed_data``, and ``sample_stats`` (engine nuts) or ``quadrature`` (engine exact).
        With many sites the groups with one value per site and draw hold evenly thinned draws;
        ``fit.tree.sel(draw=fit.tree["log_likelihood"].draw)`` takes the same ones everywhere, which
        ``arviz.psense_summary`` needs.
        Its ``attrs`` hold versions, time and durations in seconds.

        Of one trial without sites there are ``posterior``, ``posterior_predictive`` and
        ``prior_predictive`` (the statistics of ``observed_data`` in data sets of the same size),
        ``prior``, ``log_likelihood`` (by person, or by what else is independent), ``log_prior``,
        ``observed_data`` and ``sample_stats``.

    Examples
    --------
    >>> import bayesmed as bm
    >>> card = bm.load_card(bm.find_card("berkey1998"))
    >>> exact = bm.Sampler(engine="exact")
    >>> fit = bm.fit(card.model, card.load_data(), sampler=exact, seed=1)
    >>> fit
    Fit(SiteSlope, 5 sites, engine 'exact', 4 x 1500 draws, seed 1)
    >>> fit.tree["posterior"]["slope"].dims
    ('chain', 'draw', 'mediator')
    """

    model: M_co
    data: D_co
    sampler: Sampler
    seed: int
    tree: xr.DataTree

    def __repr__(self) -> str:
        shape = dict(self.tree["posterior"].sizes)
        data: Any = self.data
        size = (
            f"{data.n_rows} sites"
            if isinstance(data, SiteEstimates)
            else f"{data.n_persons:,} persons"
        )
        text = (
            f"Fit({self.model.__class__.__name__}, {size}, engine "
            f"{self.sampler.engine!r}, {shape[CHAIN]} x {shape[DRAW]} draws, seed {self.seed})"
        )
        failed = [d.code for d in diagnose(self.tree) if not d.passed]
        return f"{text[:-1]}, NOT CONVERGED: {', '.join(failed)})" if failed else text

    def _shown(self) -> Shown:
        from bayesmed.inference.display import shown_fit

        return shown_fit(self)


type TrialFit = Fit[AnyTrialModel, OneTrial]


def is_trial(fit: Fit[Any, Any]) -> TypeIs[TrialFit]:
    """Say whether a fit is of one trial without sites."""
    return isinstance(fit.model, TrialModel)


@overload
def fit(
    model: AnyModel,
    data: SiteEstimates,
    *,
    sampler: Sampler | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Fit: ...


@overload
def fit(
    model: AnyTrialModel,
    data: OneTrial,
    *,
    sampler: Sampler | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> TrialFit: ...


def fit(
    model: Any,
    data: Any,
    *,
    sampler: Sampler | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Any:
    """Compute the posterior of a model given data.

    The first fit of a model structure compiles it (seconds); later ones, with other data, other
    priors of the same kind or another number of sites, do not.

    Parameters
    ----------
    model
        What to assume.
    data
        Site estimates; for a model of one trial its moments, persons or cells.
    sampler
        How to compute; the default is safe at few sites.
    seed
        Whole number from 0 to 2**32-1; ``None`` picks one, kept in the result.
    progress
        Where to show phases and progress; ``None`` shows nothing.

    Raises
    ------
    DataError
        If the model has no likelihood for the data.
    ModelError
        If the data are of a kind the model does not take, a setting is impossible, or the exact
        engine cannot take the model.
    SamplingError, QuadratureError
        If the engine fails.

    Examples
    --------
    >>> import numpy as np
    >>> from bayesmed.generative import SiteSlope
    >>> data = SiteEstimates.from_arrays(
    ...     mediator_effect=[0.2, 0.5, 0.9, 1.4], total_effect=[0.5, 1.1, 1.8, 3.1],
    ...     cov=np.tile(np.diag([0.01, 0.04]), (4, 1, 1)))
    >>> result = fit(SiteSlope(), data, sampler=Sampler(engine="exact"), seed=1)
    >>> result
    Fit(SiteSlope, 4 sites, engine 'exact', 4 x 1500 draws, seed 1)
    """
    _check_kinds(model, data)
    seed = checked_seed(seed)
    progress = progress or Silent()
    model.check_data(data)
    started = time.perf_counter()
    drawn: Drawn
    if isinstance(model, TrialModel):
        sampler = (sampler or Sampler()).for_trial(model.target_accept(data))
        drawn = draw_trial_posterior(model, data, sampler, seed, progress)
        assert drawn.sample_stats is not None
        sampled = time.perf_counter()
        progress.phase("Predictions")
        tree = assemble_trial(model, data, drawn.draws, drawn.sample_stats, seed)
    else:
        sampler = (sampler or Sampler()).for_sites(data.n_rows, through_origin=model.through_origin)
        drawn = draw_posterior(model, data, sampler, seed, progress)
        sampled = time.perf_counter()
        progress.phase("Site effects and predictions")
        tree = assemble(model, data, drawn.draws, drawn.sample_stats, seed)
    if drawn.exact is not None:
        tree[QUADRATURE] = xr.DataTree(_quadrature(drawn.exact))
    tree.attrs |= {
        "created_at": provenance.now(),
        "seconds_engine": round(sampled - started, 3),
        "seconds_total": round(time.perf_counter() - started, 3),
        **{f"version_{name}": version for name, version in provenance.versions().items()},
    }
    return Fit(model, data, sampler, seed, tree)


def _check_kinds(model: Any, data: Any) -> None:
    """Refuse data of another kind than the model is for."""
    name, given = type(model).__name__, type(data).__name__
    if isinstance(model, TrialModel):
        kinds = model.data_kinds
        if not isinstance(data, kinds):
            raise ModelError(
                f"{name} is fitted to {' or '.join(k.__name__ for k in kinds)}, not to {given}.",
                f"Make them by {kinds[0].__name__}.from_rows.",
            )
    elif not isinstance(data, SiteEstimates):
        raise ModelError(
            f"{name} is fitted to SiteEstimates, not to {given}.", "Make them by reduce_rows."
        )


def _quadrature(exact: ExactPosterior) -> xr.Dataset:
    """Tidy what quadrature found: exact moments, quantiles and modes."""
    found = exact.summaries()
    names = list(found)
    modes = exact.modes()
    return xr.Dataset(
        {
            "mean": ("parameter", [found[n].mean for n in names]),
            "sd": ("parameter", [found[n].sd for n in names]),
            "quantile": (("parameter", "probability"), [found[n].quantiles for n in names]),
            "slope_mode": ("mode", [m.at for m in modes]),
            "slope_mode_probability": ("mode", [m.probability for m in modes]),
            "log_marginal_likelihood": ((), exact.log_marginal_likelihood),
            "line_error": ((), exact.grid.error),
        },
        coords={"parameter": names, "probability": list(PROBABILITIES)},
    )
