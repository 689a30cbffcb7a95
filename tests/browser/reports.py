"""One page of every kind of report, with hostile names; fits are made of chosen draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from bayesmed.cards import Framing
from bayesmed.effects import Rope
from bayesmed.generative import CovariateIV, SiteSlope
from bayesmed.inference import Sampler
from bayesmed.report.assumptions import assumption_content
from bayesmed.report.calibration import calibration_content
from bayesmed.report.compose import compose
from bayesmed.report.content import Content
from bayesmed.report.findings import findings
from bayesmed.report.sensitivity import sensitivity_content
from bayesmed.report.simulation import simulation_content
from bayesmed.report.subgroups import found_content, splits_content
from bayesmed.studies.calibration import Calibration
from bayesmed.studies.sensitivity import SplitSensitivity, prior_sensitivity, split_sensitivity
from bayesmed.studies.simulation import FuDesign, Simulation, design_grid, simulate
from bayesmed.subgroups import CausalTree, repeat_sites
from tests.generative.covariate_ivs import trial
from tests.report.fits import HOSTILE, HOSTILE_MEDIATOR, HOSTILE_OUTCOME, fitted, simulated
from tests.report.test_assumptions import over_correlation
from tests.subgroups.people import rows
from tests.subgroups.people import trial as people_of_trial
from tests.trial_fits import made as trial_made
from tests.variants import VARIANTS, made, variant_fit

SCRIPT = "<script>alert(1)</script>"
TITLE = f"{SCRIPT} \"quote' onload=alert(1) {{{{ 7 * 7 }}}}"
QUESTION = "שלום \u202eevil 🦄 <b>bold</b> " + "long" * 60


def one_mediator() -> Content:
    """Hostile names of sites, mediator, outcome and file; exact integration."""
    data = simulated(
        len(HOSTILE),
        site=HOSTILE,
        mediators=[HOSTILE_MEDIATOR],
        outcome=HOSTILE_OUTCOME,
        outcome_scale=SCRIPT,
        source=f"<b>{'folder/' * 40}</b>.csv",
        derivation=SCRIPT,
    )
    framing = Framing(TITLE, QUESTION, SCRIPT, (SCRIPT, "ordinary"), Rope(-0.1, 0.1))
    return compose(findings(fitted(data), framing))


def two_mediators() -> Content:
    """Two mediators with hostile names, slopes that vary."""
    names = (HOSTILE_MEDIATOR, "العربية " + "very-long-" * 12)
    variant = replace(VARIANTS["two mediators"], mediators=names)
    return compose(findings(made(variant)))


def multi_site_iv() -> Content:
    """A multi-site instrumental variables model."""
    return compose(findings(variant_fit("multi-site IV, compliance")))


def one_trial() -> Content:
    """One trial, with hostile names."""
    data = trial(n=200)
    covariates = (f"{SCRIPT} age", "past | use", "very severe " * 12)
    own = replace(
        data.names,
        treatment=SCRIPT,
        mediator=HOSTILE_MEDIATOR,
        outcome="$y$ " + "x" * 90,
        covariates=covariates,
    )
    model = CovariateIV(instruments=covariates[:2], errors="common")
    return compose(findings(trial_made(model, replace(data, names=own))))


def assumptions() -> Content:
    """A study of assumptions, over fits made of chosen rows."""
    fit = fitted(simulated(8, mediators=[HOSTILE_MEDIATOR], outcome=HOSTILE_OUTCOME), draws=100)
    return assumption_content(over_correlation(fit), Framing(TITLE))


def priors() -> Content:
    """A study of priors, by exact integration."""
    fit = fitted(simulated(6, mediators=[HOSTILE_MEDIATOR], outcome=HOSTILE_OUTCOME), draws=100)
    with ThreadPoolExecutor(1) as own:
        found = prior_sensitivity(fit, executor=own, parameters=("slope",), factors=(2,))
    return sensitivity_content(found, Framing(TITLE))


def simulated_study() -> Simulation:
    """A simulated study with several designs and estimators."""
    designs = design_grid(FuDesign(sites=5), {"sites": (5, 10), "slope": (0, 2)})
    with ThreadPoolExecutor(1) as own:
        return simulate(
            designs, replicates=10, estimators=("OLS", "BCES"), models={}, seed=1, executor=own
        )


def simulation() -> Content:
    """Its report."""
    return simulation_content(simulated_study(), TITLE)


def calibrated() -> Calibration:
    """Ranks that are as they should be."""
    rng = np.random.default_rng(1)
    names = ["slope", "direct_effect_sd", SCRIPT]
    frames = [
        pd.DataFrame(
            {
                "replicate": np.arange(60) + 1,
                "quantity": name,
                "rank": rng.integers(0, 20, 60),
                "divergences": 0,
            }
        )
        for name in names
    ]
    failed = pd.DataFrame(columns=["task", "error"])
    return Calibration(SiteSlope(), None, pd.concat(frames), failed, 20, 1)


@cache
def split_study() -> SplitSensitivity:
    """Sites of three random splits, told apart by columns and values with hostile names."""
    people = people_of_trial(n=1500).replace({"region": {"North": HOSTILE_MEDIATOR}})
    people = people.rename(columns={"age": f"{SCRIPT} age", "m": HOSTILE_MEDIATOR})
    site = (f"{SCRIPT} age", "region")
    persons = rows(people, mediators=(HOSTILE_MEDIATOR,), site=site)
    repeated = repeat_sites(persons, CausalTree(leaves=4, categorical="region"), splits=3, seed=1)
    with ThreadPoolExecutor(1) as own:
        sampler = Sampler(engine="exact", draws=200)
        return split_sensitivity(repeated, sampler=sampler, seed=1, executor=own)


def found_sites() -> Content:
    """Sites of one tree."""
    return found_content(split_study().repeated.found[0], Framing(TITLE))


def splits() -> Content:
    """One model in several splits."""
    return splits_content(split_study(), Framing(TITLE))


def calibration() -> Content:
    """Their report."""
    return calibration_content(calibrated())


KINDS: Mapping[str, Callable[[], Content]] = {
    one.__name__: one
    for one in (
        one_mediator,
        two_mediators,
        multi_site_iv,
        one_trial,
        assumptions,
        priors,
        found_sites,
        splits,
        simulation,
        calibration,
    )
}
