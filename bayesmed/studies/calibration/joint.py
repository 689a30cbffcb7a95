"""What is true, drawn from the prior, beside draws of the posterior given data drawn from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from bayesmed.core.names import SITE_EFFECTS
from bayesmed.core.progress import Silent
from bayesmed.core.seeds import child_seed, stream
from bayesmed.core.types import Floats
from bayesmed.data import SiteEstimates
from bayesmed.effects.trials import trial_estimands
from bayesmed.generative import AnyModel, AnyTrialModel
from bayesmed.generative.site_slope_parameters import AT_CENTRE
from bayesmed.generative.site_slope_prior import with_derived
from bayesmed.inference import Sampler
from bayesmed.inference.drawing import Drawn, draw_posterior, draw_trial_posterior
from bayesmed.inference.entries import entries
from bayesmed.inference.tree import assemble, parameters_dataset

__all__ = ["Joint", "site_joint", "trial_joint"]

LOG_LIKELIHOOD = "log_likelihood"
"""The log-density of all data: a quantity whose rank sees what those of parameters do not (Modrák
and others 2023)."""


CENTRED = frozenset(AT_CENTRE.values())


class Joint(NamedTuple):
    """One draw of parameters and data, and the posterior of these data.

    Attributes
    ----------
    truth, draws
        The same quantities, each one number and (L,) draws.
    divergences
        Divergent transitions of the sampler.
    """

    truth: Mapping[str, float]
    draws: Mapping[str, Floats]
    divergences: int


def site_joint(
    model: AnyModel, data: SiteEstimates, sampler: Sampler, kept: int, seed: int
) -> Joint:
    """Draw parameters, sites and their estimates, and fit; keep so many draws.

    Quantities are the parameters, the effects of the first site and averages over sites, and the
    log-likelihood. Where covariances of persons are parameters, their prior is what the products
    of ``data`` leave of them, and new data keep these products.
    """
    truth = model.prior_draws(data, 1, stream(seed, "truth"))
    new, effects = model.simulated(truth, data, stream(seed, "data"))
    model.check_data(new)
    # Where the centre of the data is has moved.
    truth = with_derived(model, {k: v for k, v in truth.items() if k not in CENTRED}, new)
    settings = replace(sampler.for_sites(data.n_rows, through_origin=model.through_origin), cores=1)
    drawn = draw_posterior(model, new, settings, child_seed(seed, "draws"), Silent())
    tree = assemble(model, new, drawn.draws, drawn.sample_stats, seed, least=True)
    few = _thinned(drawn.draws, kept)
    of_sites = {
        str(name): _thinned({"": np.asarray(values)}, kept)[""]
        for name, values in tree[SITE_EFFECTS].data_vars.items()
    }
    return Joint(
        {k: float(v[0]) for k, v in _of_sites(model, new, truth, effects).items()},
        _of_sites(model, new, few, of_sites),
        _divergences(drawn),
    )


def _of_sites(
    model: AnyModel, data: SiteEstimates, draws: Mapping[str, Floats], effects: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Return every quantity, (n,)."""
    named = parameters_dataset(model, data, {name: own[None] for name, own in draws.items()})
    found = {e.key: np.asarray(e.values)[0] for e in entries(named, persons=True)}
    for name, values in effects.items():
        of_mediators = values.reshape(*values.shape[:2], -1)
        for i in range(of_mediators.shape[-1]):
            place = f", {data.mediators[i]}" if of_mediators.shape[-1] > 1 else ""
            found[f"{name}[{data.labels[0]}{place}]"] = of_mediators[:, 0, i]
            found[f"{name}[average{place}]"] = of_mediators[..., i].mean(axis=1)
    found[LOG_LIKELIHOOD] = model.log_likelihood(draws, data).sum(axis=1)
    return found


def trial_joint(model: AnyTrialModel, data: Any, sampler: Sampler, kept: int, seed: int) -> Joint:
    """Draw parameters and persons, and fit; keep so many draws.

    Quantities are the parameters, the effects and the log-likelihood.
    """
    prior = model.prior_draws(data, 1, stream(seed, "truth"))
    new, truth = model.simulated(prior, data, stream(seed, "data"))
    model.check_data(new)
    settings = replace(sampler.for_trial(model.target_accept(new)), cores=1)
    drawn = draw_trial_posterior(model, new, settings, child_seed(seed, "draws"), Silent())
    return Joint(
        {k: float(v[0]) for k, v in _of_trial(model, new, truth).items()},
        _of_trial(model, new, _thinned(drawn.draws, kept)),
        _divergences(drawn),
    )


def _of_trial(model: AnyTrialModel, data: Any, draws: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return every quantity, (n,)."""
    estimands = trial_estimands(model, draws, data).draws
    named = dict(draws) | {
        f"effect {name}": own for name, own in estimands.items() if name not in draws
    }
    found = {}
    for name, values in named.items():
        for index in np.ndindex(values.shape[1:]):
            place = f"[{', '.join(map(str, index))}]" if index else ""
            found[name + place] = values[(slice(None), *index)]
    found[LOG_LIKELIHOOD] = model.log_likelihood(draws, data)[1].sum(axis=1)
    return found


def _divergences(drawn: Drawn) -> int:
    return 0 if drawn.sample_stats is None else int(drawn.sample_stats["diverging"].sum())


def _thinned(draws: Mapping[str, Floats], kept: int) -> dict[str, Floats]:
    """Return evenly spaced draws of all chains together, (kept, ...)."""
    found = {}
    for name, values in draws.items():
        flat = values.reshape(-1, *values.shape[2:])
        found[name] = flat[((np.arange(kept) + 0.5) * len(flat) / kept).astype(np.int64)]
    return found
