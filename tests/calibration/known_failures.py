"""What failing assumptions do to estimates, what checks say, and what a sensitivity study mends.

    python -m tests.calibration.known_failures [--replicates 40] [--only NAME] [--out FILE]

Data sets are drawn from a model in which one assumption fails by a known amount. Each is fitted
twice: as if it held, and with the amount held at what it is, which is the point of the sensitivity
curve (`bayesmed.assumption_sensitivity`) where the truth lies. One row per failure: bias, root mean
squared error and coverage of the 95 % interval of both, and in which share of data sets each check
of the first fit is doubtful. The page is written by ``tests.calibration.assumptions --table``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from bayesmed.checks import check
from bayesmed.core import provenance
from bayesmed.core.names import NIE, SLOPE
from bayesmed.core.types import Floats
from bayesmed.effects import effects
from bayesmed.generative import CovariateIV, MultiSiteIV, PrincipalStrata, SiteSlope
from bayesmed.generative.assumption_axes import held
from bayesmed.inference import Sampler, fit
from tests.calibration.sbc_variants import cells, persons, sites

STORED = Path(__file__).with_name("known_failures.json")
SEED = 20261201
SAMPLER = Sampler(draws=600, tune=600, chains=1, cores=1)

SITES: Mapping[str, Any] = {
    "slope": 1.0,
    "slope_sd": 0.4,
    "direct_effect_mean": 0.2,
    "direct_effect_sd": 0.3,
    "mediator_effect_mean": 0.6,
    "mediator_effect_sd": 0.5,
}
PERSONS: Mapping[str, Any] = {
    "slope": 0.5,
    "direct_effect": 0.3,
    "mediator_effect": 0.5,
    "mediator_modification": (0.6,),
    "mediator_intercept": 0.0,
    "mediator_coefficient": (0.3,),
    "outcome_intercept": 0.0,
    "outcome_coefficient": (0.2,),
    "mediator_sd": (1.0, 1.0),
    "outcome_sd": (1.0, 1.0),
    "error_correlation": (0.5, 0.5),
}


@dataclass(frozen=True)
class Failure:
    """A model, the assumption that fails, by how much, and what is asked."""

    words: str
    model: Any
    axis: str
    value: float
    truth: Mapping[str, Any]
    like: Callable[[], Any]

    @property
    def quantity(self) -> str:
        """What is asked."""
        return NIE if isinstance(self.model, PrincipalStrata) else SLOPE

    @property
    def true(self) -> Any:
        """The model as it is."""
        return held(self.model, self.axis, self.value)


FAILURES = {
    "Corr(γ, δ)": Failure(
        "Corr(γ, δ) = .5 (Reardon and Raudenbush vii)",
        MultiSiteIV(),
        "compliance_correlation",
        0.5,
        SITES,
        sites(50),
    ),
    "κ": Failure(
        "κ = .2 (Reardon and Raudenbush vi)",
        MultiSiteIV(),
        "within_site_covariance",
        0.2,
        SITES,
        sites(50),
    ),
    "Corr(γ, θ)": Failure(
        "Corr(γ, θ) = .6 (Fu A1)", SiteSlope(), "correlation", 0.6, SITES, sites(50)
    ),
    "τ_R": Failure(
        "τ_R = .3 (Small IV-A2)",
        CovariateIV(),
        "direct_modifier[x1]",
        0.3,
        PERSONS,
        persons(1000, covariates=1),
    ),
    "defiers": Failure(
        "a tenth are defiers (Kim A4)",
        PrincipalStrata(heterogeneity=0.3),
        "defiers",
        0.1,
        {"cell_sd": 1.0, "intercept_heterogeneity": 0.5},
        cells(500),
    ),
}


@cache
def _like(name: str) -> Any:
    return FAILURES[name].like()


def drawn(name: str, rng: np.random.Generator) -> tuple[Any, float]:
    """Return data in which the assumption fails, and the truth of what is asked."""
    failure, like = FAILURES[name], _like(name)
    true = failure.true
    draws = true.prior_draws(like, 1, rng)
    for key, value in failure.truth.items():
        if key in draws:
            draws[key] = np.broadcast_to(np.array(value, dtype=float), draws[key].shape[1:])[None]
    data, own = true.simulated(draws, like, rng)
    if failure.quantity == NIE:
        from bayesmed.effects.trials import trial_estimands

        return data, float(trial_estimands(true, own, data).draws[NIE][0, 1])
    return data, float(np.ravel(failure.truth[SLOPE])[0])


def answer(model: Any, data: Any, quantity: str, seed: int) -> tuple[Floats, Any]:
    """Return draws of what is asked, and the fit."""
    found: Any = fit(model, data, sampler=SAMPLER, seed=seed)
    if quantity == NIE:
        return effects(found).draws[NIE].values[..., 1].ravel(), found
    return found.tree["posterior"][quantity].values.ravel(), found


def replicate(given: tuple[str, int]) -> dict[str, Any]:
    """Return both answers to one data set, and the checks of the first that are doubtful."""
    name, number = given
    key = (list(FAILURES).index(name), number)
    rng = np.random.default_rng(np.random.SeedSequence(SEED, spawn_key=key))
    failure, (data, true) = FAILURES[name], drawn(name, rng)
    seed, row = int(rng.integers(2**31)), {}
    for label, model in (("ignored", failure.model), ("held", failure.true)):
        values, found = answer(model, data, failure.quantity, seed)
        low, high = np.quantile(values, [0.025, 0.975])
        row[label] = {"away": float(values.mean()) - true, "covers": bool(low <= true <= high)}
        if label == "ignored":
            results = [r for r in check(found) if not r.convergence]
            row["checks"] = [r.code for r in results if r.status in ("passed", "doubtful")]
            row["doubtful"] = [r.code for r in results if r.status == "doubtful"]
    return row


def row_of(name: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Summarise the data sets of one failure."""
    alarms = Counter(code for one in found for code in one["doubtful"])
    ran = Counter(code for one in found for code in one["checks"])
    row: dict[str, Any] = {
        "name": name,
        "assumption": FAILURES[name].words,
        "quantity": FAILURES[name].quantity,
        "replicates": len(found),
        "doubtful": {code: alarms[code] / ran[code] for code in ran},
    }
    for label in ("ignored", "held"):
        away = np.array([one[label]["away"] for one in found])
        row[label] = {
            "bias": float(away.mean()),
            "bias_error": float(away.std() / np.sqrt(len(away))),
            "rmse": float(np.sqrt((away**2).mean())),
            "covers": float(np.mean([one[label]["covers"] for one in found])),
        }
    return row


def main() -> None:
    """Run the study and store its table with versions and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=40)
    parser.add_argument("--only", choices=FAILURES)
    parser.add_argument("--out", type=Path, default=STORED)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as workers:
        for name in [given.only] if given.only else FAILURES:
            started = time.perf_counter()
            numbers = [(name, i) for i in range(given.replicates)]
            rows.append(row_of(name, list(workers.map(replicate, numbers, chunksize=5))))
            print(name, round(time.perf_counter() - started), file=sys.stderr, flush=True)
            record = {"seed": SEED, "versions": provenance.versions(), "rows": rows}
            given.out.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
