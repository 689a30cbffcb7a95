"""Everything a user holds shows itself, in a line, in a terminal and in a notebook."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import bayesmed as bm
from tests.browser.reports import calibrated, simulated_study, split_study
from tests.classical.cells import fertility
from tests.generative.covariate_ivs import MODELS, data_for
from tests.report.fits import HOSTILE, HOSTILE_MEDIATOR, HOSTILE_OUTCOME, fitted, simulated
from tests.report.test_assumptions import over_correlation
from tests.report.test_sensitivity import studied
from tests.trial_fits import made
from tests.variants import VARIANTS, variant_fit


def hostile() -> Any:
    return fitted(
        simulated(
            len(HOSTILE), site=HOSTILE, mediators=[HOSTILE_MEDIATOR], outcome=HOSTILE_OUTCOME
        ),
        draws=50,
    )


def trial() -> Any:
    return made(bm.CovariateIV(), data_for("default"))


SHOWN: dict[str, Callable[[], Any]] = {
    "model": bm.SiteSlope,
    "trial model": lambda: MODELS["uncertain"],
    "sites": lambda: hostile().data,
    "persons": lambda: data_for("default"),
    "moments": lambda: bm.TrialMoments.from_persons(data_for("default")),
    "cells": fertility,
    "fit": hostile,
    "trial fit": trial,
    "effects": lambda: bm.effects(hostile()),
    "trial effects": lambda: bm.effects(trial()),
    "comparison": lambda: bm.compare(hostile()),
    "trial comparison": lambda: bm.compare(trial()),
    "ledger": lambda: bm.ledger(hostile()),
    "check": lambda: bm.check(hostile())[0],
    "checks": lambda: bm.check(hostile()),
    "priors": lambda: studied(hostile(), parameters=("slope",), factors=(2,)),
    "assumptions": lambda: over_correlation(hostile()),
    "found sites": lambda: split_study().repeated.found[0],
    "repeated sites": lambda: split_study().repeated,
    "splits": split_study,
    "simulation": simulated_study,
    "calibration": calibrated,
}


@pytest.mark.parametrize("name", SHOWN)
def test_everything_shows_itself(name: str) -> None:
    it = SHOWN[name]()
    line, text, html = repr(it), str(it), it._repr_html_()
    if not isinstance(it, list):
        assert line.startswith(type(it).__name__)
        assert "\n" not in line
    assert text.isprintable() or {c for c in text if not c.isprintable()} == {"\n"}
    assert len(text.splitlines()) < 40
    tags = set(re.findall(r"<(\w+)", html))
    assert tags <= {*("div", "p", "strong", "table", "thead", "tbody", "tr", "th", "td")}
    assert len(html) < 30_000


def test_a_fit_shows_the_numbers_of_its_parameters() -> None:
    fit = variant_fit("constant")
    draws = np.asarray(fit.tree["posterior"]["slope"]).ravel()
    (row,) = [line for line in str(fit).splitlines() if line.startswith("slope")]
    assert float(row.split()[1]) == pytest.approx(draws.mean(), rel=0.01)


def test_an_integrated_fit_shows_what_parameters_says() -> None:
    fit = fitted(simulated(5), draws=20)
    exact = bm.parameters(fit).set_index("name").loc["slope"]
    (row,) = [line for line in str(fit).splitlines() if line.startswith("slope")]
    shown = [float(cell) for cell in row.replace(" to ", " ").split()[1:]]
    assert shown == pytest.approx(exact[["mean", "sd", "q2.5", "q97.5"]], rel=0.01)


def test_checks_are_a_list_that_shows_what_matters_first() -> None:
    found = bm.check(hostile())
    assert isinstance(found, list)
    lines = str(found).splitlines()
    statuses = [next(s for s in ("doubtful", "passed", "not appl") if s in x) for x in lines[2:]]
    assert statuses == sorted(statuses, key=("doubtful", "passed", "not appl").index)


def test_a_model_is_written_as_it_is_made() -> None:
    names = {name: getattr(bm, name) for name in ("Prior", "SiteSlope", "MultiSiteIV")}
    for variant in VARIANTS.values():
        assert eval(repr(variant.model), names) == variant.model
    assert repr(bm.SiteSlope()) == "SiteSlope()"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("constant", "β_s = θ_s + Σ δγ_s"),
        ("random", "δ_s ~ Normal(δ, Ω_δ)"),
        ("polynomial", "δ_s = δ₀ + δ₁γ_s + δ₂γ_s²"),
        ("student_t", "θ_s ~ Student-t(ν, μ_θ, σ_θ)"),
        ("correlation", "taken to be -0.4"),
        ("correlation prior", "with the prior Uniform"),
        ("covariates", "μ_θ + ζᵀx_s"),
        ("multi-site IV, kappa", "β_s = Σ δ_sγ_s + κ"),
        ("two mediators without direct effect", "β_s = Σ δγ_s"),
    ],
)
def test_equations_are_those_of_the_choices(name: str, said: str) -> None:
    assert said in str(VARIANTS[name].model)


def test_priors_that_were_set_stand_with_the_others() -> None:
    model = bm.SiteSlope(priors={"slope": bm.Prior("Normal", mu=0, sigma=2)})
    text = str(model)
    assert re.search(r"slope +Normal\(mu = 0, sigma = 2\)", text)
    assert re.search(r"direct_effect_sd +default, scaled to the data", text)
