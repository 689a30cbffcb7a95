"""Effective draws of the slope per second, beside plain PyMC with one latent pair per site.

The latent model is what one would write first: the same likelihood and priors, the effects of
every site as variables, nutpie at its default target acceptance of .8. Both are compiled before;
the clock runs while they sample, tuning included. They take turns on the same tables, so that
other work on the machine hits both; what counts is the ratio within a pair.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import arviz_stats as azs
import numpy as np
import nutpie
import pymc as pm

from bayesmed.core.progress import Silent
from bayesmed.data import SiteEstimates
from bayesmed.generative import SiteSlope
from bayesmed.inference import Sampler, nuts
from tests.benchmarks.figure import Figure, timed
from tests.benchmarks.tables import tables


@dataclass(frozen=True)
class Comparison:
    """How long to run the latent model, and what is aimed at."""

    pairs: int
    tune: int
    draws: int
    chains: int
    target: str


# Where one run of the latent model takes minutes, it makes fewer draws: that flatters neither, as
# its tuning is no shorter in proportion.
COMPARISONS = {
    100: Comparison(pairs=9, tune=1000, draws=1000, chains=4, target="≥ 8"),
    10_000: Comparison(pairs=3, tune=500, draws=500, chains=2, target="≥ 60"),
}


def latent_model(data: SiteEstimates, *, centred: bool) -> pm.Model:
    """Build the constant site-slope model with its site effects as variables."""
    model = SiteSlope()
    scale, priors = model.scale(data), model.priors_for(data)

    def parameter(name: str) -> Any:
        return getattr(pm, priors[name].distribution)(name, **priors[name].parameters)

    se = np.sqrt(data.cov[:, [0, 1], [0, 1]])
    with pm.Model() as graph:
        slope, mean = parameter("slope"), parameter("mediator_effect_mean")
        spread, noise = parameter("mediator_effect_sd"), parameter("direct_effect_sd")
        intercept = parameter("total_effect_at_centre") - slope * scale.centre
        if centred:
            mediator = pm.Normal("mediator_effect", mean, spread, shape=data.n_rows)
            total = pm.Normal("total_effect", intercept + slope * mediator, noise)
        else:
            z = pm.Normal("z", 0.0, 1.0, shape=(2, data.n_rows))
            mediator = mean + spread * z[0]
            total = intercept + slope * mediator + noise * z[1]
        pm.Normal("mediator_estimate", mediator, se[:, 0], observed=data.mediator_effect[:, 0])
        pm.Normal("total_estimate", total, se[:, 1], observed=data.total_effect)
    return graph


def figures() -> Iterator[Figure]:
    """Compare at both sizes; at the small one, say which latent form is the better."""
    centred = True
    for n_sites, plan in COMPARISONS.items():
        if n_sites == min(COMPARISONS):
            data = tables(n_sites, 3)
            rates = {form: [_latent(d, plan, form)[0] for d in data] for form in (True, False)}
            for form, values in rates.items():
                yield Figure(f"{n_sites} sites, latent, {_name(form)}", "ESS/s", tuple(values))
            centred = float(np.median(rates[True])) >= float(np.median(rates[False]))
        yield from _compare(n_sites, plan, centred)


def _compare(n_sites: int, plan: Comparison, centred: bool) -> Iterator[Figure]:
    ours, theirs, r_hats, divergences = [], [], [], []
    for seed, data in enumerate(tables(n_sites, plan.pairs)):
        ours.append(_integrated(data, seed))
        rate, r_hat, diverging = _latent(data, plan, centred, seed)
        theirs.append(rate)
        r_hats.append(r_hat)
        divergences.append(float(diverging))
    size, form = f"{n_sites:,} sites, ", _name(centred)
    length = f"{plan.chains} x ({plan.tune} + {plan.draws}) draws"
    yield Figure(size + "bayesmed", "ESS/s", tuple(ours), note="default sampler")
    yield Figure(size + f"latent, {form}", "ESS/s", tuple(theirs), note=length)
    yield Figure(size + "latent, R-hat of the slope", "", tuple(r_hats))
    yield Figure(size + "latent, divergences", "", tuple(divergences))
    ratios = tuple(a / b for a, b in zip(ours, theirs, strict=True))
    yield Figure(size + "ratio of ESS/s", "", ratios, plan.target)


def _integrated(data: SiteEstimates, seed: int) -> float:
    model = SiteSlope()
    nuts.compiled(model, data, Silent())
    elapsed, (draws, _) = timed(
        lambda table: nuts.sample(model, table, Sampler(), seed, Silent()), data
    )
    return float(azs.ess(draws["slope"])) / elapsed


def _latent(
    data: SiteEstimates, plan: Comparison, centred: bool, seed: int = 0
) -> tuple[float, float, int]:
    """Return effective draws per second, R-hat of the slope and the number of divergences."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ready = nutpie.compile_pymc_model(latent_model(data, centred=centred), var_names=["slope"])
    elapsed, trace = timed(lambda compiled: _sample(compiled, plan, seed), ready)
    slope = np.asarray(trace["posterior"]["slope"])
    diverging = int(trace["sample_stats"]["diverging"].sum())
    return float(azs.ess(slope)) / elapsed, float(azs.rhat(slope)), diverging


def _sample(compiled: Any, plan: Comparison, seed: int) -> Any:
    """Sample with nutpie's defaults but for the number of draws."""
    return nutpie.sample(
        compiled,
        tune=plan.tune,
        draws=plan.draws,
        chains=plan.chains,
        seed=seed,
        save_warmup=False,
        progress_bar=False,
    )


def _name(centred: bool) -> str:
    return "centred" if centred else "non-centred"
