"""The report of covariates × treatment as instruments, from a short fit with hostile names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bayesmed.data import TrialMoments, TrialPersons
from bayesmed.effects import compare
from bayesmed.generative import CovariateIV
from bayesmed.inference import Fit, Sampler, fit
from bayesmed.priors import Prior
from bayesmed.report.content import Bullets, Content, Paragraph, Table
from bayesmed.report.trials.tables import trial_estimates
from tests.generative.covariate_ivs import trial
from tests.report.trials.reports import EVIL, assert_labels_fit, assert_sound, content_of, said
from tests.trial_fits import made

COVARIATES = ("<i>age</i>", "past | use", "very severe " * 12 + "indeed")


def named(**choices: Any) -> TrialPersons:
    data = trial(n=300, **choices)
    return replace(data, names=replace(data.names, covariates=COVARIATES, **EVIL))


MODEL = CovariateIV(
    instruments=COVARIATES[:2], errors="common", slope_modifier={COVARIATES[1]: 0.25}
)


@pytest.fixture(scope="module")
def fitted() -> Fit[Any, Any]:
    """Moments, and a modifier of the slope. Compiles: about 10 seconds."""
    sampler = Sampler(chains=2, draws=300, tune=400)
    return fit(MODEL, TrialMoments.from_persons(named()), sampler=sampler, seed=1)


@pytest.fixture(scope="module")
def content(fitted: Fit[Any, Any]) -> Content:
    return content_of(fitted)


def texts(content: Content) -> str:
    blocks = [block for section in content.sections for block in section.blocks]
    said = [block.text for block in blocks if isinstance(block, Paragraph)]
    said += [item for block in blocks if isinstance(block, Bullets) for item in block.items]
    tables = [block for block in blocks if isinstance(block, Table)]
    said += [cell for block in tables for row in block.rows for cell in row]
    return " ".join(said)


def test_the_report_is_sound(content: Content) -> None:
    assert_sound(content, EVIL | {"age": COVARIATES[0]})
    assert_labels_fit(content)


def test_the_answer_is_that_of_the_draws(content: Content, fitted: Fit[Any, Any]) -> None:
    t, m, y = EVIL.values()
    assert content.answer.sentence == (
        f"On average {t} changes {y} by {said(fitted, 'total_effect')} (95 % interval): by "
        f"{said(fitted, 'indirect_effect')} through {m}, and by {said(fitted, 'direct_effect')} "
        f"past it. A unit of {m} changes {y} by {said(fitted, 'slope')}."
    )
    assert [row.is_median for row in content.answer.rows].count(True) == 1


def test_model_and_assumptions_are_those_of_the_choices(content: Content) -> None:
    words = texts(content)
    assert f"Instruments: {EVIL['treatment']} × {COVARIATES[0]} and {COVARIATES[1]}." in words
    assert f"Controls: {COVARIATES[2].strip()}" in words
    assert "each arm with its own" not in words
    assert f"It may change, as assumed: by {COVARIATES[1]} 0.25 a unit." in words
    other = CovariateIV(
        mediator="probit",
        person_effects="random",
        direct_modifier={COVARIATES[0]: Prior("Normal", mu=0, sigma=1)},
    )
    words = texts(content_of(made(other, named(binary=True))))
    assert "M is 1 where a + b'X" in words
    assert "each arm with its own" in words
    assert "Persons' θ_R and θ_M vary" in words
    assert f"It may change, as assumed: by {COVARIATES[0]} with the prior Normal" in words
    assert "Controls" not in words


def test_parameters_are_in_words(content: Content) -> None:
    (table,) = (t for t in content.tables if t.caption.startswith("Posterior of the parameters"))
    labels = [row[0] for row in table.rows]
    m, y = EVIL["mediator"], EVIL["outcome"]
    assert labels[0] == f"Average effect of {m} on {y}"
    assert f"Change of the effect on {m} with {COVARIATES[0]}" in labels
    assert f"Change of the direct effect with {COVARIATES[2]}" in labels
    assert f"Correlation ψ of the errors of {m} and {y}" in labels
    assert len(set(labels)) == len(labels)


def test_estimators_stand_by_effect_the_posterior_first(fitted: Fit[Any, Any]) -> None:
    rows = trial_estimates(compare(fitted)).rows
    effects = [row[1] for row in rows]
    assert effects == sorted(effects, key=effects.index)
    assert [row[0] for row in rows if row[1] == effects[0]][:2] == ["Posterior", "Baron-Kenny OLS"]


def test_weak_instruments_are_said_beside_the_answer() -> None:
    content = content_of(made(CovariateIV(), named(strength=0.0)))
    assert any("IV-A1" in note and "doubtful" in note for note in content.answer.notes)
    assert_labels_fit(content)
